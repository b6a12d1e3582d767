#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/link.h"
#include "event/loop.h"
#include "tools/tool.h"

namespace martlet::tools {

// A connection to the first edge that answers, without an account, for single requests.
class EdgeLink final : private client::Link::Owner {
 public:
  // Blocks. kUnavailable: none of the servers could be reached.
  Result<void> connect(const ToolOptions& options);
  // Blocks until the answer; its body, or why there is none.
  Result<Bytes> ask(wire::Command command, BytesView body);
  ~EdgeLink() override;

 private:
  void on_link_up() override;
  void on_link_event(wire::Command, BytesView) override {}
  void on_link_error(const wire::Refusal& refusal) override;
  void on_link_down(const std::string& why) override;
  void run(double timeout_s);

  event::Loop loop_;
  std::unique_ptr<net::TlsClient> tls_;
  std::unique_ptr<client::Link> link_;
  double timeout_s_ = 30;
  bool is_up_ = false;
  std::string trouble_;
};

}  // namespace martlet::tools
