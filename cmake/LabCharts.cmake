# The chart library of the HTML report, made from web/ at build time: one minified script, no network when
# the report is read. Embed it by lab_embed_file(<target> "${LAB_CHARTS_BUNDLE}" <symbol>).
set(LAB_CHARTS_BUNDLE "${LAB_GENERATED_DIR}/echarts.min.js")
add_custom_command(
  OUTPUT "${LAB_CHARTS_BUNDLE}"
  COMMAND "${PROJECT_SOURCE_DIR}/scripts/bundle-charts" "${LAB_CHARTS_BUNDLE}"
  DEPENDS
    "${PROJECT_SOURCE_DIR}/scripts/bundle-charts"
    "${PROJECT_SOURCE_DIR}/web/charts.js"
    "${PROJECT_SOURCE_DIR}/web/package.json"
    "${PROJECT_SOURCE_DIR}/web/package-lock.json"
  COMMENT "Bundling the report's charts"
  VERBATIM)
# Made only when a target embeds it.
add_custom_target(lab_charts DEPENDS "${LAB_CHARTS_BUNDLE}")
