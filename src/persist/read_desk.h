#pragma once

#include "persist/barrier.h"
#include "persist/client_call.h"
#include "persist/sync_token.h"
#include "store/store.h"
#include "wire/answers.h"

namespace martlet::persist {

// SYNC, FETCH, HISTORY, GROUP_INFO and GROUP_LIST. Each answer comes from one snapshot of the
// database that has at least what was in the logs when the request came, or says that it is behind
// (those about groups answer with what is there). Loop thread.
class ReadDesk {
 public:
  struct Parts {
    event::Loop& loop;
    store::MessageStore& store;
    Barrier& barrier;
    PersistMetrics& metrics;
    std::uint16_t shards;
  };
  explicit ReadDesk(const Parts& parts) : parts_(parts) {}

  void handle(const ClientCallPtr& call);

 private:
  void handle_sync(const ClientCallPtr& call);
  void handle_fetch(const ClientCallPtr& call);
  void handle_history(const ClientCallPtr& call);
  void handle_group_info(const ClientCallPtr& call);
  void handle_group_list(const ClientCallPtr& call);
  void read_page(const ClientCallPtr& call, SyncCursor cursor, bool first_page);
  void fetch(const ClientCallPtr& call, store::FetchRequest request);
  // shards empty: all.
  void wait(const ClientCallPtr& call, std::vector<ShardId> shards, Barrier::Release then);

  const Parts parts_;
};

// The page that fits: as many conversations of `rows` as there is room for. Pure.
Bytes encode_sync_page(const store::SyncRows& rows, SyncCursor cursor);

}  // namespace martlet::persist
