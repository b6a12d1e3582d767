#include "tools/input.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace martlet::tools {

InputLines::InputLines(event::Loop& loop, std::size_t credit, OnLine on_line)
    : loop_(loop),
      on_line_(std::move(on_line)),
      stop_fd_(::eventfd(0, EFD_CLOEXEC)),
      credit_(credit),
      thread_([this] { run(); }) {}

InputLines::~InputLines() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  has_credit_.notify_all();
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(stop_fd_, &one, sizeof one);
  thread_.join();
  ::close(stop_fd_);
}

void InputLines::give_credit() {
  {
    const std::lock_guard lock(mutex_);
    ++credit_;
  }
  has_credit_.notify_one();
}

bool InputLines::wait_for_credit() {
  std::unique_lock lock(mutex_);
  has_credit_.wait(lock, [this] { return credit_ > 0 || stopping_; });
  if (stopping_) return false;
  --credit_;
  return true;
}

bool InputLines::wait_for_input() const {
  pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
  while (true) {
    const int ready = ::poll(fds, 2, -1);
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && fds[1].revents == 0;
  }
}

void InputLines::deliver(std::optional<std::string> line) {
  loop_.post([this, alive = alive_, line = std::move(line)]() mutable {
    if (*alive) on_line_(std::move(line));
  });
}

void InputLines::run() {
  std::string buffer;
  char chunk[16 * 1024];
  while (wait_for_input()) {
    const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    buffer.append(chunk, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = buffer.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!wait_for_credit()) return;
      deliver(buffer.substr(begin, end - begin));
    }
    buffer.erase(0, begin);
  }
  if (!buffer.empty() && wait_for_credit()) deliver(std::move(buffer));
  deliver(std::nullopt);
}

}  // namespace martlet::tools
