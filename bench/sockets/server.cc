#include "bench/sockets/server.h"

#include <utility>

namespace martlet::bench {

SocketServer::SocketServer(const Layout& layout, std::uint32_t number)
    : layout_(layout),
      number_(number),
      sockets_([this](std::uint32_t socket, const Tag& tag) { on_frame(socket, tag); }),
      members_(layout.groups) {
  for (std::uint32_t user = number; layout.groups > 0 && user < layout.users;
       user += Layout::kServers) {
    for (std::uint32_t i = 0; i < layout.groups_of_each(); ++i) {
      members_[(layout.first_group(user) + i) % layout.groups].push_back(user);
    }
  }
}

void SocketServer::run() {
  std::vector<Tag> told;
  while (!stopped_) {
    sockets_.read();
    {
      const std::lock_guard guard(lock_);
      told.swap(inbox_);
    }
    for (const Tag& tag : told) deliver(tag);
    told.clear();
    if (!for_other_.empty()) other_->tell(for_other_);
    sockets_.flush();
  }
}

// Thread of the other one.
void SocketServer::tell(std::vector<Tag>& messages) {
  bool was_empty = false;
  {
    const std::lock_guard guard(lock_);
    was_empty = inbox_.empty();
    inbox_.insert(inbox_.end(), messages.begin(), messages.end());
  }
  messages.clear();
  if (was_empty) sockets_.wake();
}

void SocketServer::on_frame(std::uint32_t socket, Tag tag) {
  tag.kind = Tag::Kind::kAck;
  tag.bytes = layout_.sizes.ack;
  sockets_.write(socket, tag);
  tag.kind = Tag::Kind::kEvent;
  tag.bytes = layout_.sizes.event;
  if (layout_.groups > 0 || !has(tag.to)) for_other_.push_back(tag);
  if (layout_.groups > 0 || has(tag.to)) deliver(tag);
}

void SocketServer::deliver(const Tag& tag) {
  if (layout_.groups == 0) return sockets_.write(tag.to / Layout::kServers, tag);
  for (const std::uint32_t user : members_[tag.to]) {
    if (user != tag.sender) sockets_.write(user / Layout::kServers, tag);
  }
}

}  // namespace martlet::bench
