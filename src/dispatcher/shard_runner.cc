#include "dispatcher/shard_runner.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "base/planted.h"
#include "bus/subjects.h"
#include "dispatcher/limits.h"

namespace martlet::dispatcher {

ShardRunner::ShardRunner(const ShardContext& context, const TakeOverCore::Given& given,
                         Events events)
    : context_(context),
      shard_(given.shard),
      events_(std::move(events)),
      since_(context.loop.now()),
      take_over_(std::make_unique<TakeOverCore>(given, context.options.shard, context.metrics)),
      owed_(context.options.shard.owed_resyncs),
      trail_(given.shard, context.hops),
      republish_timer_(context.loop, [this] { republish(); }) {}

ShardRunner::~ShardRunner() = default;

Moment ShardRunner::moment() const {
  return {context_.loop.now(), context_.loop.wall_ms(), context_.leases.renewal_age()};
}

Ownership ShardRunner::ownership() const {
  MARTLET_ASSERT(core_ != nullptr);
  return {shard_, core_->generation(), core_->epoch()};
}

void ShardRunner::tick() {
  if (phase_ == Phase::kTakingOver) {
    take_over_->tick(moment());
    return drive();
  }
  if (phase_ != Phase::kServing) return;
  core_->tick(moment());
  flush();
  if (phase_ == Phase::kServing && !owed_.empty() && context_.bus.is_connected()) pay_resyncs();
  if (phase_ == Phase::kServing && context_.loop.now() - announced_ >= kAnnouncePeriod) announce();
}

void ShardRunner::watermark(const wire::Watermark& told) {
  if (core_ == nullptr || phase_ == Phase::kEnded) return;
  if (watched_ && told.generation == core_->generation() && told.position >= watched_->position) {
    context_.metrics.stored_after(context_.loop.now() - watched_->since);
    watched_.reset();
  }
  core_->watermark(told);
  flush_at_turn_end();
}

Duration ShardRunner::unstored() const {
  return watched_ ? context_.loop.now() - watched_->since : Duration(0);
}

void ShardRunner::on_frame(const bus::Incoming& incoming) {
  switch (phase_) {
    case Phase::kTakingOver:
    case Phase::kRepublishing:
      if (!buffer_.add(incoming.payload)) context_.metrics.silent(Silence::kNotServing);
      return;
    case Phase::kServing:
      handle(incoming.payload);
      return flush_at_turn_end();
    case Phase::kLettingGo:
    case Phase::kEnded:
      return context_.metrics.silent(Silence::kNotServing);
  }
}

void ShardRunner::handle(BytesView payload) {
  const auto frame = wire::parse_client_frame(payload);
  if (!frame) return context_.metrics.silent(Silence::kMalformed);
  core_->frame(*frame, moment());
}

// All frames of one turn go into one batch.
void ShardRunner::flush_at_turn_end() {
  if (std::exchange(is_flush_due_, true)) return;
  context_.loop.at_turn_end(guarded([this] {
    is_flush_due_ = false;
    flush();
  }));
}

void ShardRunner::flush() {
  if (core_ == nullptr || phase_ == Phase::kEnded) return;
  const Actions actions = core_->take_actions(moment());
  if (actions.append) append(*actions.append);
  publish_answers(actions.answers);
  for (const LiveEntry& live : actions.events) publish_live(live);
  for (const LiveTyping& typing : actions.typing) publish_typing(typing);
  if (!actions.events.empty()) note_published();
  if (actions.question) ask(*actions.question);
  if (actions.doubt) doubt(actions.doubt_reason);
}

void ShardRunner::append(const AppendRequest& request) {
  if (is_planted(Planted::kTwoAppends)) write(request.expected_last, request.batch, [](auto) {});
  write(request.expected_last, request.batch, guarded([this](auto result) {
          core_->append_result(std::move(result), moment());
          if (!watched_) watched_ = Watched{core_->fanned_out(), context_.loop.now()};
          context_.leases.note_reached(shard_, core_->fanned_out());
          flush();
          if (phase_ == Phase::kLettingGo) finish_letting_go();
        }));
}

// A refusal often comes when the shard is known to be another's: it counts all the same. Any other
// reason is the broker's own, such as a full disk.
void ShardRunner::write(bus::LogSequence expected_last, BytesView batch,
                        bus::Log::Appended callback) {
  context_.log.append(
      shard_, expected_last, batch, kAppendTimeout,
      [&metrics = context_.metrics, shard = shard_, callback = std::move(callback)](auto result) {
        if (!result) metrics.append_failed(result.error().failure);
        if (!result && result.error().failure == bus::AppendFailure::kRefused) {
          MARTLET_LOG(error, "append_refused shard={} reason=\"{}\"", shard.value(),
                      result.error().detail);
        }
        callback(std::move(result));
      });
}

void ShardRunner::ask(const wire::ColdQuestion& question) {
  context_.bus.request(bus::subject::rpc_cold(), wire::encode(question), kColdTimeout,
                       guarded([this](const Result<Bytes>& reply) {
                         Result<wire::ColdAnswer> answer =
                             reply ? wire::parse_cold_answer(*reply)
                                   : Result<wire::ColdAnswer>(tl::unexpect, reply.error());
                         core_->cold_answer(answer, moment());
                         flush();
                       }));
}

void ShardRunner::publish_answers(const std::map<EdgeId, std::vector<OutgoingAnswer>>& answers) {
  for (const auto& [edge, list] : answers) {
    std::span<const OutgoingAnswer> rest(list);
    while (!rest.empty()) {
      const std::size_t some = std::min(rest.size(), kMaxAnswersPerPublish);
      publish(bus::subject::edge(edge), encode_answers(ownership(), rest.first(some)));
      rest = rest.subspan(some);
    }
  }
}

void ShardRunner::publish_live(const LiveEntry& live) {
  const Audience audience = audience_of(live);
  const bool sent = publish(audience, encode_live(ownership(), live));
  trail_.entry(wire::HopKind::kFannedOut, live.entry, live.traced,
               audience.users.size() + (audience.group ? 1 : 0),
               sent ? ErrorCode::kNone : ErrorCode::kBusy);
  if (sent) return;
  for (const ConversationId& conversation : hints_for(live)) owed_.add(conversation);
}

// One that is lost is not missed.
void ShardRunner::publish_typing(const LiveTyping& typing) {
  publish(audience_of(typing), encode_typing(ownership(), typing));
}

// False: not everybody gets it.
bool ShardRunner::publish(const Audience& audience, BytesView payload) {
  bool all = !audience.group || publish(bus::subject::group(*audience.group), payload);
  for (const UserId& user : audience.users) {
    all = publish(bus::subject::user(user), payload) && all;
  }
  return all;
}

// What the broker's link has no room for is not sent again: edges repeat frames, and for live
// events RESYNC follows.
bool ShardRunner::publish(const std::string& subject, BytesView payload) {
  if (context_.bus.publish(subject, payload) == bus::SendResult::kSent) return true;
  context_.metrics.publish_dropped();
  return false;
}

bool ShardRunner::publish_resync(const ConversationId& conversation) {
  return publish(audience_of(conversation), encode_resync(ownership(), conversation));
}

// Those whose events were dropped are told to sync, as far as there is room.
void ShardRunner::pay_resyncs() {
  for (std::size_t left = kRepublishedPerTick; left > 0 && !owed_.empty(); --left) {
    const bool sent = owed_.is_everyone() ? announce(true) : publish_resync(*owed_.next());
    if (!sent) return;
    owed_.told();
  }
  note_published();
}

// While somebody is owed a RESYNC the position stays: a successor would have to publish from there.
void ShardRunner::note_published() {
  if (owed_.empty()) context_.published.published(shard_, core_->fanned_out());
}

bool ShardRunner::announce(bool lost_events) {
  announced_ = context_.loop.now();
  const Ownership owner = ownership();
  return publish(bus::subject::owner(shard_),
                 wire::encode(wire::OwnerAnnounced{shard_, owner.generation, owner.epoch,
                                                   context_.owner, lost_events}));
}

void ShardRunner::info_asked() {
  if (core_ != nullptr) core_->info_asked();
}

void ShardRunner::info(const bus::LogInfo& info) {
  if (core_ != nullptr) core_->info(info.bytes);
}

void ShardRunner::doubt(const std::string& reason) {
  MARTLET_LOG(warn, "shard_doubted shard={} reason={}", shard_.value(), reason);
  context_.metrics.doubted();
  // Letting go needs no clear result: the next owner reads the log.
  if (phase_ == Phase::kLettingGo) return;
  end();
  events_.doubted(reason);
}

void ShardRunner::end() {
  phase_ = Phase::kEnded;
  context_.published.forget(shard_);
  subscription_.reset();
  republish_timer_.cancel();
}

void ShardRunner::let_go(std::function<void()> finished) {
  if (phase_ == Phase::kLettingGo || phase_ == Phase::kEnded) return;
  finished_ = std::move(finished);
  subscription_.reset();
  republish_timer_.cancel();
  const bool was_serving = phase_ == Phase::kServing;
  phase_ = Phase::kLettingGo;
  if (was_serving) core_->let_go();
  if (was_serving && core_->is_appending()) return;
  finish_letting_go();
}

void ShardRunner::finish_letting_go() {
  context_.published.flush(guarded([this] {
    end();
    finished_();
  }));
}

}  // namespace martlet::dispatcher
