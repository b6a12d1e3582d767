#include "wire/content.h"

#include "wire/fields.h"
#include "wire/limits.h"

namespace martlet::wire {
namespace {

// Strings of a content: malformed ones are a bad body, well-formed but unfit ones a bad content.
class ContentReader {
 public:
  std::string_view text(const flatbuffers::String* text, const char* field, std::size_t max_bytes) {
    const std::string_view value = view(text);
    if (!base::is_utf8(value)) fields_.refuse(ErrorCode::kBadBody, field, "is not UTF-8");
    require(value.find('\0') == std::string_view::npos, field, "contains U+0000");
    require(value.size() <= max_bytes, field, "is too long");
    return value;
  }
  void require(bool condition, const char* field, const char* what) {
    if (!condition) fields_.refuse(ErrorCode::kBadContent, field, what);
  }
  template <class T>
  Result<T> result(T value) {
    return fields_.result(std::move(value));
  }

 private:
  FieldReader fields_;
};

FileRef read_file(const proto::FileRef& table, ContentReader& reader) {
  FileRef file;
  file.url = reader.text(table.url(), "file.url", kMaxUrlBytes);
  file.size = table.size();
  file.sha256 = view(table.sha256());
  file.mime = reader.text(table.mime(), "file.mime", kMaxLabelBytes);
  file.name = reader.text(table.name(), "file.name", kMaxLabelBytes);
  reader.require(!file.url.empty(), "file.url", "is empty");
  reader.require(file.sha256.empty() || file.sha256.size() == kSha256Bytes, "file.sha256",
                 "is not 32 bytes");
  return file;
}

// Exactly the fields of the kind are set.
void check_fit(const proto::Content& table, ContentReader& reader) {
  const auto kind = table.kind();
  reader.require(
      kind == ContentKind::Text || kind == ContentKind::Custom || kind == ContentKind::File, "kind",
      "is unknown");
  const bool is_text = kind == ContentKind::Text;
  const bool is_custom = kind == ContentKind::Custom;
  const bool is_file = kind == ContentKind::File;
  reader.require(!is_text || table.text() != nullptr, "text", "is missing");
  reader.require(!is_custom || table.text() == nullptr, "text", "does not belong to kind Custom");
  reader.require(!is_custom || !view(table.type_name()).empty(), "type_name", "is missing");
  reader.require(is_custom || table.type_name() == nullptr, "type_name", "belongs to kind Custom");
  reader.require(is_custom || table.data() == nullptr, "data", "belongs to kind Custom");
  reader.require(!is_file || table.file() != nullptr, "file", "is missing");
  reader.require(is_file || table.file() == nullptr, "file", "belongs to kind File");
  reader.require(table.members() == nullptr, "members", "is written by the server alone");
}

}  // namespace

Bytes encode(const Content& content) {
  Builder builder(content.text.size() + content.data.size() + 256);
  flatbuffers::Offset<proto::FileRef> file;
  if (content.file.has_value()) {
    const FileRef& ref = *content.file;
    const auto url = put(builder, ref.url);
    const auto sha256 = put_some_bytes(builder, ref.sha256);
    const auto mime = put_some(builder, ref.mime);
    const auto name = put_some(builder, ref.name);
    file = proto::CreateFileRef(builder, url, ref.size, sha256, mime, name);
  }
  const bool is_text = content.kind == ContentKind::Text;
  const auto text = is_text ? put(builder, content.text) : put_some(builder, content.text);
  const auto type_name = put_some(builder, content.type_name);
  const auto data = put_some_bytes(builder, content.data);
  return finish(builder, proto::CreateContent(builder, content.kind, text, type_name, data, file));
}

Result<Content> parse_content(BytesView bytes) {
  if (!verifies<proto::Content>(bytes)) return fail(ErrorCode::kBadBody, "content does not verify");
  const auto& table = *flatbuffers::GetRoot<proto::Content>(bytes.data());
  ContentReader reader;
  Content content;
  content.kind = table.kind();
  content.text = reader.text(table.text(), "text", kMaxBodyBytes);
  content.type_name = reader.text(table.type_name(), "type_name", kMaxLabelBytes);
  content.data = view(table.data());
  if (table.file() != nullptr) content.file = read_file(*table.file(), reader);
  check_fit(table, reader);
  return reader.result(content);
}

}  // namespace martlet::wire
