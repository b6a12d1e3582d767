#include "support/swarm/journal.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/hash.h"

namespace martlet::swarm {
namespace {

using Json = nlohmann::ordered_json;

std::string hash_of(BytesView content) {
  return std::to_string(base::hash64(content));
}

std::int64_t now_ms() {
  return to_ms(SystemClock().now().time_since_epoch());
}

bool ends_inside_a_line(const std::string& file) {
  std::ifstream input(file, std::ios::ate | std::ios::binary);
  if (!input || input.tellg() <= 0) return false;
  input.seekg(-1, std::ios::end);
  return input.get() != '\n';
}

void write(std::ofstream& file, Json line) {
  line["at"] = now_ms();
  file << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
}

const char* name_of(client::Origin origin) {
  switch (origin) {
    case client::Origin::kLive:
      return "live";
    case client::Origin::kFetched:
      return "fetched";
    case client::Origin::kOwn:
      break;
  }
  return "own";
}

}  // namespace

Journal::Journal(const std::string& file) {
  const bool is_cut = ends_inside_a_line(file);
  file_.open(file, std::ios::app);
  if (is_cut) file_ << "\n";
  write(file_, {{"e", "started"}});
}

void Journal::sent(const ConversationId& conversation, const ClientMsgId& id, BytesView content) {
  write(file_, {{"e", "sent"},
                {"conversation", conversation.str()},
                {"id", to_string(id)},
                {"hash", hash_of(content)}});
}

void Journal::change(const GroupId& group, const ClientMsgId& id, const MembersChange& change) {
  Json users = Json::array();
  for (const UserId& user : change.users) users.push_back(user.str());
  const auto action = static_cast<proto::MembersAction>(change.action);
  write(file_, {{"e", "change"},
                {"conversation", ConversationId::of_group(group).str()},
                {"id", to_string(id)},
                {"action", proto::EnumNameMembersAction(action)},
                {"users", std::move(users)},
                {"history", change.earlier_history == EarlierHistory::kShown}});
}

void Journal::acked(const client::Acknowledged& ack, double ms) {
  write(file_, {{"e", "acked"},
                {"conversation", ack.conversation.str()},
                {"id", to_string(ack.id)},
                {"seq", ack.seq.value()},
                {"message_id", std::to_string(ack.message_id.value())},
                {"generation", ack.generation.value()},
                {"ms", ms}});
}

void Journal::stored(const client::SendQueue::Stored& stored) {
  write(file_, {{"e", "stored"},
                {"conversation", stored.conversation.str()},
                {"id", to_string(stored.id)},
                {"seq", stored.seq.value()}});
}

void Journal::refused(const ConversationId& conversation, const ClientMsgId& id,
                      const Error& error) {
  write(file_, {{"e", "refused"},
                {"conversation", conversation.str()},
                {"id", to_string(id)},
                {"code", error_name(error.code)}});
}

void Journal::received(const client::Message& message, client::Origin origin) {
  received("received", message, name_of(origin));
}

void Journal::received(const char* kind, const client::Message& message, const char* origin) {
  write(file_, {{"e", kind},
                {"conversation", message.conversation.str()},
                {"seq", message.seq.value()},
                {"id", to_string(message.client_msg_id)},
                {"sender", message.sender.str()},
                {"hash", hash_of(message.content)},
                {"message_id", std::to_string(message.id.value())},
                {"origin", origin}});
}

void Journal::dropped(const ConversationId& conversation, Seq from) {
  write(file_, {{"e", "dropped"}, {"conversation", conversation.str()}, {"from", from.value()}});
}

void Journal::synced(bool behind, const client::SyncEngine::Counters& counters) {
  write(file_, {{"e", "synced"},
                {"behind", behind},
                {"syncs", counters.syncs},
                {"fetches", counters.fetches},
                {"gaps", counters.gaps},
                {"live_missed", counters.live_missed}});
}

void Journal::state(const std::string& state, const std::string& why) {
  write(file_, {{"e", "state"}, {"state", state}, {"why", why}});
}

void Journal::history_begins() {
  write(file_, {{"e", "history_begins"}});
}

void Journal::history(const client::Message& message) {
  received("history", message, "history");
}

void Journal::history_ends(std::size_t conversations) {
  write(file_, {{"e", "history_ends"}, {"conversations", conversations}});
}

}  // namespace martlet::swarm
