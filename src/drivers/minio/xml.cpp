// pugixml does the parsing.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/xml.hpp"

#include <fmt/format.h>

#include <charconv>
#include <pugixml.hpp>
#include <sstream>

#include "core/text.hpp"

namespace lab::minio {
namespace {

constexpr const char* kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

Error no_answer(const char* operation, std::string why) {
  return {ErrorCode::kCorruption, operation, std::move(why)};
}

/// Servers differ in the name of some roots, so what counts is that it is one of `roots`.
Status parse(std::string_view text, std::span<const std::string> roots, const char* operation,
             pugi::xml_document& document) {
  const auto parsed = document.load_buffer(text.data(), text.size());
  if (!parsed)
    return no_answer(operation, fmt::format("the answer is no XML ({}): {}", parsed.description(),
                                            to_valid_utf8(text.substr(0, 100))));
  const std::string root = document.document_element().name();
  for (const std::string& known : roots)
    if (root == known) return ok();
  return no_answer(operation, fmt::format("the answer is a <{}>, not a <{}>", root, join(roots, "> or <")));
}

std::string text_of(const pugi::xml_node& node, const char* child) { return node.child_value(child); }

/// Errors: kCorruption for anything but true and false.
Result<bool> truncated(const pugi::xml_node& root, const char* operation) {
  const std::string text = text_of(root, "IsTruncated");
  if (text == "true") return true;
  if (text == "false") return false;
  return no_answer(operation, "a page does not say whether it is the last: IsTruncated is '" + text + "'");
}

std::string written(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration);
  return out.str();
}

pugi::xml_node root_of(pugi::xml_document& document, const char* name) {
  pugi::xml_node root = document.append_child(name);
  root.append_attribute("xmlns").set_value(kNamespace);
  return root;
}

void add(pugi::xml_node parent, const char* name, const std::string& value) {
  parent.append_child(name).text().set(value.c_str());
}

}  // namespace

std::optional<ErrorBody> parse_error(std::string_view text) {
  pugi::xml_document document;
  if (text.empty() || !document.load_buffer(text.data(), text.size())) return std::nullopt;
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "Error") return std::nullopt;
  return ErrorBody{text_of(root, "Code"), text_of(root, "Message")};
}

Result<ObjectPage> parse_objects(std::string_view text, const char* operation) {
  static const std::string kRoots[] = {"ListBucketResult"};
  pugi::xml_document document;
  LAB_TRY(parse(text, kRoots, operation, document));
  const pugi::xml_node root = document.document_element();
  ObjectPage page;
  for (const pugi::xml_node& node : root.children("Contents")) {
    ListedObject object{.key = text_of(node, "Key")};
    const std::string size = text_of(node, "Size");
    const auto read = std::from_chars(size.data(), size.data() + size.size(), object.size);
    if (object.key.empty() || size.empty() || read.ptr != size.data() + size.size())
      return no_answer(operation, fmt::format("an entry has key '{}' and size '{}'", object.key, size));
    page.objects.push_back(std::move(object));
  }
  const auto more = truncated(root, operation);
  if (!more) return more.error();
  if (!*more) return page;
  page.next = text_of(root, "NextContinuationToken");
  if (page.next.empty())
    return no_answer(operation, "a page is not the last one and has no token of the next");
  return page;
}

Result<VersionPage> parse_versions(std::string_view text, const char* operation) {
  static const std::string kRoots[] = {"ListVersionsResult"};
  pugi::xml_document document;
  LAB_TRY(parse(text, kRoots, operation, document));
  const pugi::xml_node root = document.document_element();
  VersionPage page;
  for (const pugi::xml_node& node : root.children()) {
    const std::string_view name = node.name();
    if (name != "Version" && name != "DeleteMarker") continue;
    ListedVersion version{.key = text_of(node, "Key"),
                          .id = text_of(node, "VersionId"),
                          .latest = text_of(node, "IsLatest") == "true",
                          .marker = name == "DeleteMarker"};
    if (version.key.empty() || version.id.empty()) return no_answer(operation, "a version has no key or id");
    page.versions.push_back(std::move(version));
  }
  const auto more = truncated(root, operation);
  if (!more) return more.error();
  page.more = *more;
  page.next_key = text_of(root, "NextKeyMarker");
  page.next_id = text_of(root, "NextVersionIdMarker");
  if (page.more && page.next_key.empty())
    return no_answer(operation, "a page of versions is not the last one and has no marker of the next");
  return page;
}

Result<UploadPage> parse_uploads(std::string_view text, const char* operation) {
  static const std::string kRoots[] = {"ListMultipartUploadsResult"};
  pugi::xml_document document;
  LAB_TRY(parse(text, kRoots, operation, document));
  const pugi::xml_node root = document.document_element();
  UploadPage page;
  for (const pugi::xml_node& node : root.children("Upload"))
    page.uploads.push_back({text_of(node, "Key"), text_of(node, "UploadId")});
  const auto more = truncated(root, operation);
  if (!more) return more.error();
  page.more = *more;
  page.next_key = text_of(root, "NextKeyMarker");
  page.next_id = text_of(root, "NextUploadIdMarker");
  if (page.more && page.next_key.empty())
    return no_answer(operation, "a page of uploads is not the last one and has no marker of the next");
  return page;
}

std::string delete_body(std::span<const ListedVersion> versions) {
  pugi::xml_document document;
  pugi::xml_node root = root_of(document, "Delete");
  for (const ListedVersion& version : versions) {
    pugi::xml_node object = root.append_child("Object");
    add(object, "Key", version.key);
    if (!version.id.empty()) add(object, "VersionId", version.id);
  }
  return written(document);
}

Result<DeleteOutcome> parse_deleted(std::string_view text, const char* operation) {
  static const std::string kRoots[] = {"DeleteResult", "DeleteObjectsResult"};
  pugi::xml_document document;
  LAB_TRY(parse(text, kRoots, operation, document));
  DeleteOutcome outcome;
  for (const pugi::xml_node& node : document.document_element().children()) {
    const std::string_view name = node.name();
    if (name == "Deleted") outcome.deleted += 1;
    if (name == "Error")
      outcome.failures.push_back(
          fmt::format("{}: {}: {}", text_of(node, "Key"), text_of(node, "Code"), text_of(node, "Message")));
  }
  return outcome;
}

std::string complete_body(std::span<const std::string> etags) {
  pugi::xml_document document;
  pugi::xml_node root = root_of(document, "CompleteMultipartUpload");
  for (std::size_t index = 0; index < etags.size(); ++index) {
    pugi::xml_node part = root.append_child("Part");
    add(part, "PartNumber", std::to_string(index + 1));
    add(part, "ETag", etags[index]);
  }
  return written(document);
}

Result<std::string> parse_upload_id(std::string_view text, const char* operation) {
  static const std::string kRoots[] = {"InitiateMultipartUploadResult"};
  pugi::xml_document document;
  LAB_TRY(parse(text, kRoots, operation, document));
  std::string id = text_of(document.document_element(), "UploadId");
  if (id.empty()) return no_answer(operation, "a multipart upload was begun and has no id");
  return id;
}

Result<std::string> parse_versioning(std::string_view text, const char* operation) {
  static const std::string kRoots[] = {"VersioningConfiguration"};
  pugi::xml_document document;
  LAB_TRY(parse(text, kRoots, operation, document));
  return text_of(document.document_element(), "Status");
}

bool is_bucket_list(std::string_view text) {
  pugi::xml_document document;
  return document.load_buffer(text.data(), text.size()) &&
         std::string_view(document.document_element().name()) == "ListAllMyBucketsResult";
}

std::vector<std::string> parse_buckets(std::string_view text) {
  std::vector<std::string> names;
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return names;
  for (const pugi::xml_node& bucket : document.document_element().child("Buckets").children("Bucket"))
    names.push_back(text_of(bucket, "Name"));
  return names;
}

std::string parse_owner(std::string_view text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return "";
  return text_of(document.document_element().child("Owner"), "ID");
}

std::string parse_encryption(std::string_view text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return "";
  return text_of(document.document_element().child("Rule").child("ApplyServerSideEncryptionByDefault"),
                 "SSEAlgorithm");
}

}  // namespace lab::minio
