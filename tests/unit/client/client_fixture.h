#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "client_rig.h"

namespace martlet::client {

inline std::string text_of(BytesView content) {
  const auto parsed = wire::parse_content(content);
  return parsed ? std::string(parsed->text) : "?";
}

struct Recorder final : ClientListener {
  void on_state(State state, const std::string&) override { states.push_back(state); }
  void on_message(const Message& m, Origin origin) override {
    texts.push_back(text_of(m.content));
    origins.push_back(origin);
  }
  void on_acked(const SendQueue::Acked& acked) override { acks.push_back(acked.ack); }
  void on_stored(const SendQueue::Stored& stored_now) override { stored.push_back(stored_now); }
  void on_refused(const SendQueue::Refused& refused_now) override {
    refused.push_back(refused_now.error.code);
  }
  void on_read_done(const ConversationId&, Seq seq, const std::optional<Error>&) override {
    reads.push_back(seq);
  }
  void on_synced(bool) override { ++synced; }
  void on_kicked(const wire::KickedEvent&) override { ++kicks; }
  void on_end(const Error& error) override { end = error; }

  std::vector<State> states;
  std::vector<std::string> texts;
  std::vector<Origin> origins;
  std::vector<Acknowledged> acks;
  std::vector<SendQueue::Stored> stored;
  std::vector<ErrorCode> refused;
  std::vector<Seq> reads;
  int synced = 0;
  int kicks = 0;
  std::optional<Error> end;
};

class ClientTest : public ClientRig<Recorder> {
 protected:
  void send(std::string_view text, Strength want = Strength::kLogged) {
    EXPECT_TRUE(client_->send(user("bob"), wire::encode_text(text), want));
  }
};

}  // namespace martlet::client
