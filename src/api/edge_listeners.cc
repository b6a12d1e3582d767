#include "api/edge_listeners.h"

#include <utility>

#include "api/limits.h"
#include "api/pages.h"

namespace martlet::api {
namespace {

bool is_same(const EdgeInfo& a, const EdgeInfo& b) {
  return a.name == b.name && a.address == b.address && a.http == b.http &&
         a.draining == b.draining && a.weight == b.weight;
}

}  // namespace

bool EdgeListeners::has_room() {
  forget_gone();
  return streams_.size() < kMaxListeners;
}

void EdgeListeners::add(service::HttpStream stream, const std::vector<EdgeInfo>& live) {
  look(live);
  stream.send("edges", edges_text(live));
  streams_.push_back(std::move(stream));
}

void EdgeListeners::look(const std::vector<EdgeInfo>& live) {
  std::map<EdgeId, EdgeInfo> before;
  before.swap(told_);
  for (const EdgeInfo& edge : live) {
    const auto known = before.find(edge.edge);
    if (known == before.end() || !is_same(known->second, edge)) tell("edge", edge_text(edge));
    if (known != before.end()) before.erase(known);
    told_[edge.edge] = edge;
  }
  for (const auto& [id, edge] : before) tell("gone", gone_text(id));
}

void EdgeListeners::beat() {
  forget_gone();
  for (const service::HttpStream& stream : streams_) stream.beat();
}

void EdgeListeners::forget_gone() {
  std::erase_if(streams_, [](const service::HttpStream& stream) { return stream.is_gone(); });
}

void EdgeListeners::tell(std::string_view event, const std::string& data) {
  for (const service::HttpStream& stream : streams_) stream.send(event, data);
}

}  // namespace martlet::api
