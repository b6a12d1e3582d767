#include "persist/metrics.h"

namespace martlet::persist {
namespace {

using metrics::Buckets;
using metrics::Label;
using store::ApplyOutcome;

Label<ErrorCode> error_label() {
  Label<ErrorCode> label{"code", {}};
  for (const ErrorCode code : all_error_codes())
    label.values.emplace_back(code, std::string(error_name(code)));
  return label;
}

Label<ApplyOutcome> outcome_label() {
  return {"outcome",
          {{ApplyOutcome::kFenced, "fenced"},
           {ApplyOutcome::kUnknown, "unknown"},
           {ApplyOutcome::kRefused, "refused"},
           {ApplyOutcome::kRetry, "retry"},
           {ApplyOutcome::kDuplicate, "duplicate"}}};
}

Label<Alarm> alarm_label() {
  return {"alarm",
          {{Alarm::kGap, "gap"},
           {Alarm::kDuplicate, "duplicate"},
           {Alarm::kDead, "dead"},
           {Alarm::kRefused, "refused"}}};
}

Label<HashEnd> hash_label() {
  return {"end",
          {{HashEnd::kDone, "done"},
           {HashEnd::kUseless, "useless"},
           {HashEnd::kDropped, "dropped"},
           {HashEnd::kRefused, "refused"}}};
}

Label<wire::Command> command_label() {
  return {"command",
          {{wire::Command::Register, "REGISTER"},
           {wire::Command::Login, "LOGIN"},
           {wire::Command::Refresh, "REFRESH"},
           {wire::Command::Sync, "SYNC"},
           {wire::Command::Fetch, "FETCH"},
           {wire::Command::History, "HISTORY"},
           {wire::Command::GroupInfo, "GROUPINFO"},
           {wire::Command::GroupList, "GROUPLIST"},
           {wire::Command::Auth, "AUTH"},
           {wire::Command::Devices, "DEVICES"},
           {wire::Command::SignOut, "SIGNOUT"}}};
}

Label<wire::AdminAct> act_label() {
  Label<wire::AdminAct> label{"act", {}};
  for (const wire::AdminActName& entry : wire::kAdminActs) {
    label.values.emplace_back(entry.act, entry.name);
  }
  return label;
}

}  // namespace

PersistMetrics::PersistMetrics(metrics::Registry& r, std::uint16_t shards)
    : batches_(r.counter({"martlet_persist_applied_batches_total", "batches",
                          "Batches of the logs that were stored."})),
      messages_(r.counter(
          {"martlet_persist_applied_messages_total", "messages", "Messages that were stored."})),
      batch_messages_(r.histogram({"martlet_persist_apply_messages", "messages",
                                   "Messages of a shard stored by one transaction."},
                                  Buckets::counts())),
      apply_seconds_(r.histogram(
          {"martlet_persist_apply_seconds", "seconds",
           "How long it took to store what was ready of a shard, with the wait for others."},
          Buckets::seconds())),
      repeats_(r.counter({"martlet_persist_repeats_total", "messages",
                          "Messages that were stored already and came again under another seq."})),
      apply_failures_(r.counters({"martlet_persist_apply_failures_total", "transactions",
                                  "Transactions that did not store, by what became of them."},
                                 outcome_label())),
      alarms_(r.counters({"martlet_persist_alarms_total", "alarms",
                          "What an operator must look at: entries put aside, gaps, bugs."},
                         alarm_label())),
      bases_raised_(r.counter({"martlet_persist_bases_raised_total", "times",
                               "How often a log had lost its tail and got a new generation."})),
      purges_(r.counter({"martlet_persist_purges_total", "purges",
                         "How often stored entries were deleted from a log."})),
      requests_(r.counters(
          {"martlet_persist_requests_total", "requests", "Requests of clients, by command."},
          command_label())),
      refusals_(r.counters({"martlet_persist_refusals_total", "requests",
                            "Requests of clients answered by an error, by code."},
                           error_label())),
      failed_(r.counters({"martlet_persist_failed_total", "requests",
                          "Requests of clients answered by an error, by command."},
                         command_label())),
      answer_seconds_(r.histograms(
          {"martlet_persist_answer_seconds", "seconds", "From a client's request to its answer."},
          command_label(), Buckets::seconds())),
      barrier_seconds_(r.histogram({"martlet_persist_barrier_seconds", "seconds",
                                    "How long requests waited for the database to reach the logs."},
                                   Buckets::seconds())),
      behind_(r.counter({"martlet_persist_answers_behind_total", "requests",
                         "Requests answered before the database had reached the logs."})),
      cold_queries_(r.counter({"martlet_persist_cold_queries_total", "queries",
                               "Queries that answered questions of dispatchers."})),
      cold_questions_(r.counter({"martlet_persist_cold_questions_total", "questions",
                                 "Questions of dispatchers that were answered."})),
      cold_items_(r.counter({"martlet_persist_cold_items_total", "items",
                             "Conversations and messages that those questions asked for."})),
      cold_seconds_(r.histogram({"martlet_persist_cold_seconds", "seconds",
                                 "From a question of a dispatcher to its answer."},
                                Buckets::seconds())),
      cold_refusals_(r.counter({"martlet_persist_cold_refusals_total", "questions",
                                "Questions of dispatchers answered by an error."})),
      traces_(r.counter(
          {"martlet_persist_trace_questions_total", "questions", "Questions where a message is."})),
      groups_questions_(r.counter({"martlet_persist_groups_questions_total", "questions",
                                   "Questions of edges about who is in which group."})),
      groups_seconds_(r.histogram({"martlet_persist_groups_seconds", "seconds",
                                   "From a question of an edge about groups to its answer."},
                                  Buckets::seconds())),
      groups_refusals_(r.counter({"martlet_persist_groups_refusals_total", "questions",
                                  "Questions of edges about groups answered by an error."})),
      hashes_(r.counters({"martlet_persist_hashes_total", "passwords",
                          "Passwords to be hashed: done while somebody waited, useless because "
                          "nobody did any more, dropped and refused unhashed."},
                         hash_label())),
      hashes_waiting_(r.gauge({"martlet_persist_hashes_waiting", "passwords",
                               "Passwords that wait for a thread to be hashed."})),
      refreshes_repeated_(r.counter({"martlet_persist_refreshes_repeated_total", "requests",
                                     "REFRESH repeated at once, whose first answer was lost."})),
      revocations_(r.counter({"martlet_persist_devices_revoked_total", "devices",
                              "Devices revoked because a refresh token was used twice."})),
      sign_outs_(r.counter({"martlet_persist_devices_signed_out_total", "devices",
                            "Devices that their users signed out."})),
      crowded_out_(r.counter({"martlet_persist_devices_crowded_out_total", "devices",
                              "Devices signed out because their user had too many."})),
      tokens_forgotten_(r.counter({"martlet_persist_tokens_forgotten_total", "tokens",
                                   "Refresh tokens deleted long after they expired."})),
      acts_(r.counters({"martlet_persist_admin_acts_total", "acts",
                        "What people did to users and edges; each is in the audit log."},
                       act_label())),
      acts_failed_(r.counters({"martlet_persist_admin_acts_failed_total", "acts",
                               "What people wanted to do and was not written, nor done."},
                              act_label())),
      malformed_(r.counter({"martlet_persist_malformed_total", "messages",
                            "Messages of other services that could not be read."})),
      leases_(
          r.counters({"martlet_persist_leases_total", "shards", "Changes of the leases of shards."},
                     metrics::lease_label())),
      followed_(r.gauge(
          {"martlet_persist_shards_followed", "shards", "Shards whose log this process stores."})),
      stuck_(r.gauge({"martlet_persist_shards_stuck", "shards",
                      "Shards that stand still until somebody repairs them."})),
      lag_(r.gauge({"martlet_persist_lag_batches", "batches",
                    "Batches in the logs of all shards that are not stored, at the last look."})),
      shard_lags_(r.gauges({"martlet_persist_shard_lag_batches", "batches",
                            "The same of each shard, whoever stores it."},
                           metrics::shard_label(shards))),
      shard_watermarks_(r.gauges({"martlet_persist_shard_watermark", "none",
                                  "Up to which log position this process has stored the shard that "
                                  "it follows; else 0."},
                                 metrics::shard_label(shards))),
      waiting_(r.gauge({"martlet_persist_barrier_waiting", "requests",
                        "Requests that wait for the database to reach the logs."})),
      open_(r.gauge(
          {"martlet_persist_open_requests", "requests", "Requests that have no answer yet."})),
      cold_waiting_(r.gauge({"martlet_persist_cold_waiting", "questions",
                             "Questions of dispatchers that have no answer yet."})),
      database_waiting_(r.gauge({"martlet_persist_database_waiting", "jobs",
                                 "Jobs that wait for a connection to the database."})) {}

void PersistMetrics::batches_applied(std::size_t batches, std::size_t messages) {
  batches_.add(batches);
  messages_.add(messages);
  batch_messages_.observe(static_cast<double>(messages));
}

void PersistMetrics::barrier_took(Duration duration, bool behind) {
  barrier_seconds_.observe(duration);
  if (behind) behind_.add();
}

void PersistMetrics::cold_query(std::size_t questions, std::size_t items) {
  cold_queries_.add();
  cold_questions_.add(questions);
  cold_items_.add(items);
}

}  // namespace martlet::persist
