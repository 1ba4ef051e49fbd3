// The recipes, one a file in recipes/. Known to this folder alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "testbed/recipe.hpp"

namespace lab::testbed {

Recipe postgresql_recipe();
Recipe cockroachdb_recipe();
Recipe mariadb_recipe();
Recipe clickhouse_recipe();
Recipe redis_recipe();
Recipe kafka_recipe();
Recipe minio_recipe();

}  // namespace lab::testbed
