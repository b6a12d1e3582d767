#pragma once

#include <map>
#include <vector>

#include "api/edge_directory.h"
#include "service/http_server.h"

namespace martlet::api {

// Who listens to changes of the edges, as server-sent events: `edges` with all of them at first,
// then `edge` for one that came or is another than before (its load aside), `gone` for one that
// went. Loop thread.
class EdgeListeners {
 public:
  // False: there are kMaxListeners.
  bool has_room();
  void add(service::HttpStream stream, const std::vector<EdgeInfo>& live);
  // Tells the difference to what was told before.
  void look(const std::vector<EdgeInfo>& live);
  // Ends those who have gone; the others hear that we live.
  void beat();
  void close() { streams_.clear(); }

  std::size_t size() const { return streams_.size(); }

 private:
  void forget_gone();
  void tell(std::string_view event, const std::string& data);

  std::vector<service::HttpStream> streams_;
  std::map<EdgeId, EdgeInfo> told_;
};

}  // namespace martlet::api
