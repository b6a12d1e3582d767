// What a message says: a client's content, or a change of members that the server wrote.
#include "wire/content.h"

#include "again.h"
#include "input.h"
#include "model/limits.h"
#include "targets.h"
#include "wire/limits.h"
#include "wire/members_change.h"

namespace martlet::fuzz {
namespace {

void check_text(std::string_view text, std::size_t max_bytes) {
  MARTLET_ASSERT(text.size() <= max_bytes && base::is_utf8(text));
  MARTLET_ASSERT(text.find('\0') == std::string_view::npos);
}

}  // namespace

void content(BytesView bytes) {
  if (bytes.size() > kMaxInputBytes) return;
  const bool is_content = encoded_again<wire::parse_content>(bytes).has_value();
  const bool is_change = encoded_again<wire::parse_members_change>(bytes).has_value();
  // Who changes a group does it by a command: no client can send such a content.
  MARTLET_ASSERT(!is_content || !is_change);
  if (!is_content) return;
  const auto parsed = wire::parse_content(bytes);
  check_text(parsed->text, kMaxBodyBytes);
  check_text(parsed->type_name, wire::kMaxLabelBytes);
  if (!parsed->file.has_value()) return;
  check_text(parsed->file->url, wire::kMaxUrlBytes);
  check_text(parsed->file->mime, wire::kMaxLabelBytes);
  check_text(parsed->file->name, wire::kMaxLabelBytes);
}

}  // namespace martlet::fuzz
