#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "event/loop.h"

namespace martlet::tools {

// Lines of standard input, read by a thread because it may be a file, which no event loop can wait
// for. At most `credit` lines are on their way; the reader of the lines gives credit back.
class InputLines {
 public:
  // A line without its end; none: the input has ended.
  using OnLine = std::function<void(std::optional<std::string>)>;

  // Calls back on the loop, which must outlive this.
  InputLines(event::Loop& loop, std::size_t credit, OnLine on_line);
  ~InputLines();
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;

  // A line has been dealt with. Any thread.
  void give_credit();

 private:
  void run();
  bool wait_for_credit();
  bool wait_for_input() const;
  void deliver(std::optional<std::string> line);

  event::Loop& loop_;
  OnLine on_line_;
  int stop_fd_;
  std::mutex mutex_;
  std::condition_variable has_credit_;
  std::size_t credit_;                                          // guarded by mutex_
  bool stopping_ = false;                                       // guarded by mutex_
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // loop thread
  std::thread thread_;
};

}  // namespace martlet::tools
