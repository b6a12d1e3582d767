#include "lib/nats/message.h"

#include <algorithm>
#include <charconv>

namespace martlet::nats {
namespace {

std::string_view view(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// "NATS/1.0 503 No Responders\r\n…": what stands behind the version.
std::string_view status_line(std::string_view headers) {
  headers = headers.substr(0, headers.find("\r\n"));
  const std::size_t space = headers.find(' ');
  return space == std::string_view::npos ? std::string_view() : headers.substr(space + 1);
}

}  // namespace

Message::Message(natsMsg* raw) : raw_(raw) {
  parts_ = {view(natsMsg_GetSubject(raw)),
            view(natsMsg_GetReply(raw)),
            {},
            {natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw))}};
}

Message Message::copy_of(const Parts& parts) {
  Message message;
  const std::size_t size =
      parts.subject.size() + parts.reply.size() + parts.headers.size() + parts.payload.size();
  message.own_ = std::make_unique_for_overwrite<char[]>(size);
  char* place = message.own_.get();
  const auto keep = [&place](std::string_view bytes) {
    const std::string_view kept(place, bytes.size());
    place = std::copy(bytes.begin(), bytes.end(), place);
    return kept;
  };
  message.parts_ = {keep(parts.subject), keep(parts.reply), keep(parts.headers),
                    keep(parts.payload)};
  return message;
}

std::string_view Message::library_header(const char* key) const {
  const char* value = nullptr;
  return natsMsgHeader_Get(raw_.get(), key, &value) == NATS_OK ? view(value) : std::string_view();
}

int Message::status() const {
  // Only messages of the broker itself have no payload and a status line.
  if (!payload().empty()) return 0;
  const std::string_view text = raw_ ? library_header("Status") : status_line(parts_.headers);
  int status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

std::string_view Message::status_text() const {
  if (raw_) return library_header("Description");
  const std::string_view line = status_line(parts_.headers);
  const std::size_t space = line.find(' ');
  return space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
}

}  // namespace martlet::nats
