#include "tools/raw.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "net/connection.h"
#include "net/connector.h"
#include "tools/input.h"
#include "wire/commands.h"
#include "wire/frame.h"
#include "wire/limits.h"

namespace martlet::tools {
namespace {

using Json = nlohmann::ordered_json;

// A frame as somebody typed it.
struct TypedFrame {
  std::uint16_t command = 0;
  std::string body;
};

Result<TypedFrame> parse_typed(const std::string& line) {
  const auto bad = [](const std::string& what) { return fail(ErrorCode::kBadBody, what); };
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("command")) {
    return bad(R"(a line of input must be {"command": …, "body": {…}})");
  }
  TypedFrame frame;
  frame.body = json.contains("body") ? json["body"].dump() : "{}";
  const Json& command = json["command"];
  if (command.is_number_unsigned()) {
    frame.command = command.get<std::uint16_t>();
    return frame;
  }
  const std::string name = command.is_string() ? command.get<std::string>() : "";
  const wire::CommandInfo* known = wire::find_command(std::string_view(name));
  if (known == nullptr) return bad("no such command: " + name);
  frame.command = static_cast<std::uint16_t>(known->command);
  return frame;
}

class RawSession final : public net::ConnectionListener {
 public:
  RawSession(event::Loop& loop, double wait_s, net::TlsClient* tls)
      : loop_(loop), wait_s_(wait_s), tls_(tls) {}

  Exit run(const net::Address& address, double timeout_s) {
    host_ = address.host;
    net::Connector connector(loop_, address, std::chrono::seconds(10),
                             [&](Result<net::UniqueFd> fd) { on_connected(std::move(fd)); });
    event::Timer deadline(loop_, [this] {
      if (waiting_) fail_now(Error{ErrorCode::kTimeout, "no answer in time"});
    });
    deadline.start_every(std::chrono::milliseconds(static_cast<long>(timeout_s * 1e3)));
    loop_.run();
    lines_.reset();
    return exit_;
  }

 private:
  void on_connected(Result<net::UniqueFd> fd) {
    if (!fd) return fail_now(fd.error());
    connection_ =
        std::make_unique<net::Connection>(loop_, std::move(*fd), net::ConnectionOptions{}, *this,
                                          tls_ != nullptr ? tls_->connect(host_) : nullptr);
    lines_ = std::make_unique<InputLines>(
        loop_, 1, [this](const std::optional<std::string>& line) { on_line(line); });
  }

  void on_line(const std::optional<std::string>& line) {
    if (!line) {
      ended_ = true;
      return end_if_answered();
    }
    if (line->empty()) return lines_->give_credit();
    const Result<TypedFrame> typed = parse_typed(*line);
    if (!typed) return fail_now(typed.error());
    wire::FrameHeader header;
    header.codec = wire::Codec::kJson;
    header.command = typed->command;
    header.request_id = ++request_id_;
    waiting_ = true;
    connection_->send(wire::encode_frame(header, typed->body));
  }

  void on_bytes(BytesView bytes) override {
    while (true) {
      const auto frame = decoder_.next(bytes);
      if (!frame) return fail_now(frame.error());
      if (!frame->has_value()) return;
      print(**frame);
      if ((*frame)->header.request_id != request_id_ || !waiting_) continue;
      waiting_ = false;
      lines_->give_credit();
      end_if_answered();
    }
  }
  void on_drained() override {}
  void on_closed(net::CloseCause cause) override {
    if (cause == net::CloseCause::kHandshakeFailed) {
      return fail_now(Error{ErrorCode::kUnavailable, "no TLS: " + connection_->tls()->why()});
    }
    if (waiting_) return fail_now(Error{ErrorCode::kUnavailable, "the server closed"});
    loop_.stop();
  }

  void print(const wire::Frame& frame) {
    const wire::CommandInfo* known = wire::find_command(frame.header.command);
    Json line;
    if (known != nullptr) {
      line["command"] = known->name;
    } else {
      line["command"] = frame.header.command;
    }
    line["request_id"] = frame.header.request_id;
    line["body"] = Json::parse(frame.body, nullptr, false);
    std::printf("%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    std::fflush(stdout);
  }

  void end_if_answered() {
    if (!ended_ || waiting_) return;
    timer_.start_once(std::chrono::milliseconds(static_cast<long>(wait_s_ * 1e3)));
  }

  void fail_now(const Error& error) {
    exit_ = fail_with(error);
    loop_.stop();
  }

  event::Loop& loop_;
  double wait_s_;
  net::TlsClient* tls_;
  std::string host_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<InputLines> lines_;
  wire::FrameDecoder decoder_{wire::kMaxJsonAnswerBytes};
  std::uint32_t request_id_ = 0;
  bool waiting_ = false;
  bool ended_ = false;
  Exit exit_ = Exit::kOk;
  event::Timer timer_{loop_, [this] { loop_.stop(); }};
};

}  // namespace

Exit raw(const ToolOptions& options, double wait_s) {
  const Result<client::AddressList> servers = servers_of(options);
  if (!servers) return fail_with(servers.error());
  const auto tls = tls_of(options);
  if (!tls) return fail_with(tls.error());
  event::Loop loop;
  RawSession session(loop, wait_s, tls->get());
  return session.run(servers->current(), options.timeout_s);
}

}  // namespace martlet::tools
