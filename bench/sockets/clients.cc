#include "bench/sockets/clients.h"

namespace martlet::bench {
namespace {

using std::chrono::microseconds;

}  // namespace

SocketClients::SocketClients(const Layout& layout)
    : layout_(layout),
      sockets_([this](std::uint32_t, const Tag& tag) { on_frame(tag); }),
      turn_(layout.users) {}

void SocketClients::begin(std::size_t in_flight) {
  for (std::size_t i = 0; i < in_flight; ++i) send();
  sockets_.flush();
}

void SocketClients::turn() {
  sockets_.read();
  sockets_.flush();
}

std::uint32_t SocketClients::recipient_of(std::uint32_t user) {
  if (layout_.groups > 0) {
    const std::uint32_t turn = turn_[user]++ % layout_.groups_of_each();
    return (layout_.first_group(user) + turn) % layout_.groups;
  }
  const auto drawn = static_cast<std::uint32_t>(random_.below(layout_.users - 1));
  return drawn < user ? drawn : drawn + 1;
}

void SocketClients::send() {
  const auto user = static_cast<std::uint32_t>(counts_.sent % layout_.users);
  const auto now = std::chrono::duration_cast<microseconds>(clock_.now().time_since_epoch());
  ++counts_.sent;
  sockets_.write(user, {.bytes = layout_.sizes.send,
                        .kind = Tag::Kind::kSend,
                        .sender = user,
                        .to = recipient_of(user),
                        .sent_us = static_cast<std::uint64_t>(now.count())});
}

void SocketClients::on_frame(const Tag& tag) {
  if (tag.kind == Tag::Kind::kEvent) {
    ++counts_.received;
    return;
  }
  ++counts_.answered;
  if (is_measuring_) {
    latencies_.add(clock_.now() - MonotonicTime(microseconds(tag.sent_us)));
  }
  if (is_sending_) send();
}

}  // namespace martlet::bench
