#pragma once

#include <memory>

#include "base/random.h"
#include "bus/cluster_check.h"
#include "bus/hops.h"
#include "bus/kv.h"
#include "edge/edge.h"
#include "service/application.h"

namespace martlet::edge {

// The back ends that main.cc chose.
struct EdgeBackends {
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<bus::Kv> cluster;  // the bucket that says what all members must agree on
  std::unique_ptr<registry::Sessions> sessions;
  VerifyToken verify_token;
  std::unique_ptr<net::TlsServer> tls;  // null: clients speak in the clear
};

// The edge service in the process shell. Loop thread.
class EdgeApplication final : public service::Application {
 public:
  EdgeApplication(service::Context& context, EdgeOptions options, EdgeBackends backends);

  void start(Started on_started) override;
  void reload() override;
  Result<void> ready() const override;
  std::string listen_address() const override;
  void stop_phase_one(Done on_done) override;
  void stop_phase_two(Done on_done) override;

 private:
  event::LoopClock clock_;
  SystemRandom random_;
  EdgeBackends backends_;
  bus::ClusterCheck cluster_check_;
  EdgeMetrics metrics_;
  const EdgeIdentity identity_;
  bus::HopMetrics hop_metrics_;
  SystemClock system_clock_;  // the loop's stands still for a turn
  bus::HopRecorder hops_;
  Edge edge_;
};

}  // namespace martlet::edge
