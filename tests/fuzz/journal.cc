// The file that a device keeps. Whatever was in it, what is remembered of it survives a rewrite.
#include "base/assert.h"
#include "client/journal_lines.h"
#include "input.h"
#include "targets.h"

namespace martlet::fuzz {
namespace {

void apply(BytesView lines, client::Store& store, bool all_good) {
  Input input(lines);
  while (!input.rest().empty()) {
    const bool good = client::journal::apply_line(input.take_until('\n'), store);
    MARTLET_ASSERT(good || !all_good);
  }
}

}  // namespace

void journal(BytesView bytes) {
  client::MemoryStore store;
  apply(bytes, store, false);
  const std::string lines = client::journal::snapshot(store.state());
  client::MemoryStore again;
  apply(lines, again, true);
  MARTLET_ASSERT(client::journal::snapshot(again.state()) == lines);
  MARTLET_ASSERT(again.state().cursors == store.state().cursors);
  MARTLET_ASSERT(again.state().sync_token == store.state().sync_token);
  MARTLET_ASSERT(again.state().sends.size() == store.state().sends.size());
  MARTLET_ASSERT(again.state().changes == store.state().changes);
}

}  // namespace martlet::fuzz
