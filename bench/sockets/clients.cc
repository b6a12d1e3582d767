#include "bench/sockets/clients.h"

#include "bench/pace.h"

namespace martlet::bench {
namespace {

using std::chrono::microseconds;

}  // namespace

SocketClients::SocketClients(const Layout& layout)
    : layout_(layout),
      sockets_([this](std::uint32_t user, const Tag& tag) { on_frame(user, tag); }),
      turn_(layout.users) {}

void SocketClients::begin(std::size_t in_flight) {
  const std::vector<std::size_t> sizes = windows(in_flight, layout_.users);
  for (std::uint32_t user = 0; user < layout_.users; ++user) {
    for (std::size_t i = 0; i < sizes[user]; ++i) send(user);
  }
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

void SocketClients::send(std::uint32_t user) {
  const auto now = std::chrono::duration_cast<microseconds>(clock_.now().time_since_epoch());
  ++counts_.sent;
  sockets_.write(user, {.bytes = layout_.sizes.send,
                        .kind = Tag::Kind::kSend,
                        .sender = user,
                        .to = recipient_of(user),
                        .sent_us = static_cast<std::uint64_t>(now.count())});
}

void SocketClients::on_frame(std::uint32_t user, const Tag& tag) {
  if (tag.kind == Tag::Kind::kEvent) {
    ++counts_.received;
    return;
  }
  ++counts_.answered;
  if (is_measuring_) {
    latencies_.add(clock_.now() - MonotonicTime(microseconds(tag.sent_us)));
  }
  if (is_sending_) send(user);
}

}  // namespace martlet::bench
