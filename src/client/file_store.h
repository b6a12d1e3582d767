#pragma once

#include <memory>
#include <string>

#include "client/store.h"

namespace martlet::client {

// A device's memory in one file, readable by its owner only: a line of JSON for each change,
// rewritten (to a new file, then renamed) at the start and when most of it is out of date. A line
// is written with one system call, so a kill of the process loses nothing that was said; a last
// line cut short is dropped. Not synced to the disk: after a power cut the device syncs anew.
//
// One process at a time: the file beside it (…/lock) is locked.
class FileStore final : public Store {
 public:
  // Makes the directory if need be. kBusy: another process has it. kInternal: input/output failed
  // or the file is not ours.
  static Result<std::unique_ptr<FileStore>> open(const std::string& directory);
  ~FileStore() override;

  // Everything, tokens too: the device is as new.
  Result<void> forget();

  const StoreState& state() const override { return memory_.state(); }
  void set_credentials(Credentials credentials) override;
  void set_sync_token(Bytes token) override;
  void set_cursor(const ConversationId& conversation, Cursor cursor) override;
  void set_shown(const ConversationId& conversation, Seq seq, MessageId id) override;
  void add_send(const OutgoingMessage& message) override;
  void remove_send(const ClientMsgId& id) override;
  void add_change(const OutgoingChange& change) override;
  void remove_change(const ClientMsgId& id) override;
  std::string problem() const override { return problem_; }

 private:
  explicit FileStore(std::string directory) : directory_(std::move(directory)) {}
  std::string path() const { return directory_ + "/device.jsonl"; }
  Result<void> lock();
  Result<void> load();
  Result<void> rewrite();
  void append(const std::string& line);

  std::string directory_;
  MemoryStore memory_;
  int lock_fd_ = -1;
  int fd_ = -1;
  std::size_t size_ = 0;
  std::size_t size_when_rewritten_ = 0;
  std::string problem_;
};

}  // namespace martlet::client
