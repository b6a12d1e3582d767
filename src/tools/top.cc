#include "tools/top.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <deque>
#include <string>
#include <thread>

#include "tools/api.h"
#include "tools/cluster_status.h"
#include "tools/top_table.h"

namespace martlet::tools {
namespace {

// Processes speak once a second: rates between two looks that lie closer would be none or wrong.
constexpr Duration kRateSpan = std::chrono::seconds(2);

volatile std::sig_atomic_t is_interrupted = 0;

extern "C" void on_interrupt(int) {
  is_interrupted = 1;
}

// The terminal while the table is on it: its second screen, keys as they are pressed and not shown.
// Whatever ends us in order puts back what was there.
class Screen {
 public:
  Screen() {
    has_keys_ = ::isatty(STDIN_FILENO) != 0 && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (has_keys_) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    struct sigaction action {};
    action.sa_handler = on_interrupt;  // without SA_RESTART: it ends a wait
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGHUP, &action, nullptr);
    std::fputs("\x1b[?1049h\x1b[?25l", stdout);
  }
  ~Screen() {
    std::fputs("\x1b[?25h\x1b[?1049l", stdout);
    std::fflush(stdout);
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // What does not fit is cut, so that the terminal does not scroll.
  static void draw(const std::string& text) {
    winsize size{};
    const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    const std::size_t rows = is_known ? size.ws_row : 24;
    const std::size_t columns = is_known ? size.ws_col : 80;
    std::string out = "\x1b[H";
    std::size_t row = 0;
    for (std::size_t begin = 0; begin < text.size() && row + 1 < rows; ++row) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      out += text.substr(begin, std::min(end - begin, columns)) + "\x1b[K\r\n";
      begin = end + 1;
    }
    std::fputs((out + "\x1b[J").c_str(), stdout);
    std::fflush(stdout);
  }

  // True: somebody wants to go on.
  bool wait(Duration duration) const {
    const SystemClock clock;
    const MonotonicTime until = clock.now() + duration;
    while (is_interrupted == 0) {
      const auto left = to_ms<std::int64_t>(until - clock.now());
      if (left <= 0) return true;
      pollfd keys{has_keys_ ? STDIN_FILENO : -1, POLLIN, 0};
      if (::poll(&keys, 1, static_cast<int>(left)) <= 0) continue;
      char key = 'q';  // the end of the input is one as well
      if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return false;
    }
    return false;
  }

 private:
  termios before_{};
  bool has_keys_ = false;
};

// The rates need two looks.
Exit print_once(const ToolOptions& options, Duration interval) {
  if (options.json) {
    const auto page = ask_status_page(options);
    if (!page) return fail_asking(options, page.error());
    std::printf("%s\n", page->dump().c_str());
    return Exit::kOk;
  }
  const auto before = ask_status(options);
  if (!before) return fail_asking(options, before.error());
  std::this_thread::sleep_for(std::max(interval, kRateSpan));
  const auto now = ask_status(options);
  if (!now) return fail_asking(options, now.error());
  std::fputs(top_table(*now, &*before).c_str(), stdout);
  return Exit::kOk;
}

Duration lies_between(const ClusterStatus& earlier, const ClusterStatus& later) {
  if (later.now_ms <= earlier.now_ms) return kRateSpan;  // the api's clock was set
  return std::chrono::milliseconds(later.now_ms - earlier.now_ms);
}

Exit redraw(const ToolOptions& options, Duration interval) {
  // What is wrong from the beginning is told where people find it afterwards.
  auto first = ask_status(options);
  if (!first) return fail_asking(options, first.error());
  // The latest is the last; the first is that from which rates are reckoned.
  std::deque<ClusterStatus> looks;
  looks.push_back(std::move(*first));
  const Screen screen;
  std::string trouble;
  while (true) {
    const bool has_rates = looks.size() > 1 && trouble.empty();
    Screen::draw(trouble + top_table(looks.back(), has_rates ? &looks.front() : nullptr));
    if (!screen.wait(interval)) return Exit::kOk;
    auto next = ask_status(options);
    trouble = next ? "" : "no answer: " + next.error().detail + "\n\n";
    if (!next) continue;
    looks.push_back(std::move(*next));
    while (looks.size() > 2 && lies_between(looks[1], looks.back()) >= kRateSpan) looks.pop_front();
  }
}

}  // namespace

Exit top(const ToolOptions& options, const TopOptions& top) {
  const Duration interval = std::chrono::milliseconds(static_cast<long>(top.interval_s * 1e3));
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  if (top.once || options.json || !is_terminal) return print_once(options, interval);
  return redraw(options, interval);
}

}  // namespace martlet::tools
