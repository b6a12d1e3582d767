#include "bench/visits.h"

#include <utility>

#include "bench/report.h"

namespace martlet::bench {
namespace {

// One request of a visitor is out at a time; AUTH has another number.
constexpr std::uint32_t kReadRequest = 7;

}  // namespace

Visits::Visits(Crowd::Parts parts, std::vector<UserId> users, OnMessage on_message)
    : parts_(std::move(parts)), users_(std::move(users)) {
  parts_.at_once = users_.size();
  parts_.password = parts_.config.password;
  parts_.on_link_online = [this](Link& link) {
    ask(link, visitors_[link.number()].reader.begin());
  };
  parts_.on_frame = [this](Link& link, const wire::Frame& frame) { on_frame(link, frame); };
  for (std::size_t number = 0; number < users_.size(); ++number) {
    Reader reader([this, number, on_message](const wire::Message& message) {
      ++messages_;
      on_message(number, message);
    });
    visitors_.push_back({.reader = std::move(reader), .later = nullptr});
  }
}

void Visits::come(std::function<void()> on_done) {
  on_done_ = std::move(on_done);
  crowd_ = std::make_unique<Crowd>(parts_, users_);
  finished_ = messages_ = asked_again_ = 0;
  latencies_ = Latencies();
  begin_ = clock_.now();
  crowd_->connect([] {});
}

void Visits::leave() {
  if (crowd_) crowd_->disconnect();
}

void Visits::ask(Link& link, const Reader::Request& request) {
  const auto send = [&link, command = request.command, body = request.body] {
    link.send(command, kReadRequest, body);
  };
  if (request.wait == Duration(0)) return send();
  ++asked_again_;
  std::unique_ptr<event::Timer>& later = visitors_[link.number()].later;
  later = std::make_unique<event::Timer>(parts_.loop, send);
  later->start_once(request.wait);
}

void Visits::on_frame(Link& link, const wire::Frame& frame) {
  if (frame.header.request_id != kReadRequest) return;
  const auto next = visitors_[link.number()].reader.answered(frame);
  if (!next) {
    return parts_.on_lost(users_[link.number()].str() + " reads: " +
                          std::string(error_name(next.error().code)) + ", " + next.error().detail);
  }
  if (*next) return ask(link, **next);
  end_ = clock_.now();
  latencies_.add(end_ - begin_);
  if (++finished_ == users_.size()) on_done_();
}

nlohmann::ordered_json Visits::report() const {
  nlohmann::ordered_json line = {
      {"seconds", std::chrono::duration<double>(end_ - begin_).count()},
      {"visitors", finished_},
      {"messages", messages_},
      {"came_again", crowd_->refusals()},
      {"asked_again", asked_again_},
  };
  add_percentiles(line, "", latencies_);
  return line;
}

}  // namespace martlet::bench
