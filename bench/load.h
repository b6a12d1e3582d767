#pragma once

#include <memory>
#include <string>

#include "bench/config.h"
#include "bench/crowd.h"
#include "bench/sender.h"
#include "bench/visits.h"
#include "tools/input.h"

namespace martlet::bench {

// The generator: one process, one thread, many connections. Connects its users at the start, then
// does what standard input says, and tells its phases on standard output, a line of JSON each:
//   connected                    after the start
//   idle -> idle                 those of config.idle are online as well
//   release -> released          and gone again
//   load -> measuring, measured, done    after the warm-up; after the window; with the report
//   stop                         ends a window that has no end of its own
//   visit -> visited             those of config.visitors came all at once and have read what there
//                                was for them; with how long it took and what became of it
//   leave -> left                and gone; they may come again
//   quit                         ends it, as the end of the input does
// {"status": "failed", "why"} at any time ends it as well, with exit code 1.
class Load {
 public:
  Load(event::Loop& loop, Config config, const auth::SigningKey& key,
       std::unique_ptr<Workload> workload, net::TlsClient* tls);

  void start();
  bool has_failed() const { return failed_; }

 private:
  Crowd::Parts parts(Crowd::OnFrame on_frame);
  void on_command(const std::string& command);
  void warm_up();
  void set_timer(event::Task task);
  void begin_window();
  void end_window();
  void drain();
  void finish();
  void visited();
  void fail(const std::string& why);

  event::Loop& loop_;
  const Config config_;
  const auth::SigningKey& key_;
  net::TlsClient* tls_;
  Crowd users_;
  Crowd idle_;
  Sender sender_;
  Visits visits_;
  MonotonicTime window_begin_;
  double seconds_ = 0;
  MonotonicTime drain_until_;
  bool failed_ = false;
  std::unique_ptr<event::Timer> timer_;  // of the phase under way
  std::unique_ptr<tools::InputLines> commands_;
};

}  // namespace martlet::bench
