#include "lib/nats/library/publisher.h"

#include <nats/nats.h>
#include <sys/socket.h>

#include <atomic>
#include <mutex>

#include "base/assert.h"
#include "base/log.h"
#include "lib/nats/library/connection_options.h"
#include "lib/nats/library/delivery.h"

namespace martlet::nats {
namespace {

constexpr int kIoBufferBytes = 256 * 1024;
// Verb, sizes, separators of a PUB.
constexpr std::size_t kProtocolBytes = 64;

}  // namespace

// What the library's callbacks see; it lives until the library's last callback (closed).
//
// Before 3.9.2 the library may close the socket while a loop still polls it. Here it cannot,
// because only the loop's thread ever finds the link broken: there is no reading thread, no flusher
// (SendAsap) and no ping timer (pings are the Bus's own probe). So the callback that takes the
// socket away runs on the loop, before the close.
struct LibraryPublisher::Link : std::enable_shared_from_this<LibraryPublisher::Link> {
  explicit Link(event::Loop& l) : loop(l) {}

  natsStatus set_options(natsOptions* raw, const std::string& name);
  natsStatus connect(natsOptions* raw);
  void start();
  void close();
  void abandon();

  // Library's threads; does nothing once the publisher is gone.
  template <class F>
  void post(F task) {
    const std::lock_guard lock(mutex);
    if (open) loop.post([keep = shared_from_this(), task] { task(*keep); });
  }

  void attach(natsSock new_socket);
  void detach();
  void write_is_wanted();
  void schedule_flush();
  void flush();
  void on_ready(bool readable, bool writable);
  natsStatus send(const Outgoing& message);

  event::Loop& loop;
  natsConnection* connection = nullptr;
  natsSubscription* answers = nullptr;
  std::shared_ptr<LiveSubscriptions> live = std::make_shared<LiveSubscriptions>();
  bool connected = false;
  bool flush_scheduled = false;
  natsSock first_socket = -1;
  natsSock socket = -1;
  std::unique_ptr<event::SocketWatch> watch;
  std::size_t backlog = 0;
  std::function<void()> listener;
  std::string subject;  // these two are kept for their memory
  std::string reply;

  std::atomic<bool> started = false;  // on the loop from here on
  std::atomic<bool> write_wanted = false;
  std::mutex mutex;
  bool open = true;  // guarded by mutex
};

natsStatus LibraryPublisher::Link::set_options(natsOptions* raw, const std::string& name) {
  const auto on_attach = [](void** user, void* self, natsConnection*, natsSock fd) {
    *user = self;
    static_cast<Link*>(self)->first_socket = fd;
    return NATS_OK;
  };
  const auto on_read = [](void* self, bool add) {
    if (!add) static_cast<Link*>(self)->detach();
    return NATS_OK;
  };
  const auto on_write = [](void* self, bool add) {
    static_cast<Link*>(self)->write_wanted = add;
    if (add) static_cast<Link*>(self)->write_is_wanted();
    return NATS_OK;
  };
  const auto on_error = [](natsConnection*, natsSubscription*, natsStatus status, void*) {
    MARTLET_LOG(warn, "nats_error link=publisher error=\"{}\"", natsStatus_GetText(status));
  };
  for (const natsStatus status : {
           natsOptions_SetEventLoop(raw, this, on_attach, on_read, on_write,
                                    [](void*) { return NATS_OK; }),
           natsOptions_SetSendAsap(raw, true),
           natsOptions_SetIOBufSize(raw, kIoBufferBytes),
           natsOptions_SetPingInterval(raw, 0),
           natsOptions_SetName(raw, (name + " publisher").c_str()),
           natsOptions_SetAllowReconnect(raw, false),
           natsOptions_SetErrorHandler(raw, on_error, nullptr),
       }) {
    if (status != NATS_OK) return status;
  }
  return NATS_OK;
}

natsStatus LibraryPublisher::Link::connect(natsOptions* raw) {
  using Keep = std::shared_ptr<Link>;
  auto keep = std::make_unique<Keep>(shared_from_this());
  const auto on_closed = [](natsConnection*, void* keep) {
    const std::unique_ptr<Keep> last(static_cast<Keep*>(keep));
  };
  natsStatus status = natsOptions_SetClosedCB(raw, on_closed, keep.get());
  if (status == NATS_OK) status = natsConnection_Connect(&connection, raw);
  if (status != NATS_OK) return status;
  static_cast<void>(keep.release());  // owned by the closed callback now
  connected = true;
  return NATS_OK;
}

void LibraryPublisher::Link::start() {
  started = true;
  attach(first_socket);
}

void LibraryPublisher::Link::close() {
  if (!started) start();
  // Closing waits for a PONG of what is unsent, which this very thread would have to read.
  if (connected) flush();
  {
    const std::lock_guard lock(mutex);
    open = false;
  }
  connected = false;
  listener = nullptr;
  natsConnection_Close(connection);
  live->wait_for_none();
  natsSubscription_Destroy(answers);
  natsConnection_Destroy(connection);
  connection = nullptr;
  watch.reset();
}

// Before the start: nothing was published, and no loop knows the socket. Any thread.
void LibraryPublisher::Link::abandon() {
  if (connection == nullptr) return;
  {
    const std::lock_guard lock(mutex);
    open = false;
  }
  connected = false;
  socket = first_socket;
  natsConnection_Close(connection);
  live->wait_for_none();
  natsSubscription_Destroy(answers);
  natsConnection_Destroy(connection);
  connection = nullptr;
}

void LibraryPublisher::Link::attach(natsSock new_socket) {
  if (connection == nullptr) return;
  socket = new_socket;
  watch = std::make_unique<event::SocketWatch>(
      loop, socket, [this](bool readable, bool writable) { on_ready(readable, writable); });
  watch->want(true, write_wanted);
}

// The library is about to close the socket. From one of its own threads it means that of an attempt
// to connect that failed, which we never had.
void LibraryPublisher::Link::detach() {
  if (started && !loop.is_inside()) return;
  watch.reset();
#if NATS_VERSION_NUMBER >= 0x030902
  natsConnection_ProcessCloseEvent(&socket);
#endif
  socket = -1;
  backlog = 0;
  if (!connected) return;
  connected = false;
  // We are inside the library's locks: nothing may call back into it from here.
  post([](Link& link) {
    if (link.listener) link.listener();
  });
}

// Before the start this may be any thread, which must not touch the loop; the start looks at what
// is wanted by then.
void LibraryPublisher::Link::write_is_wanted() {
  if (!started) return;
  if (loop.is_inside()) {
    schedule_flush();
  } else {
    post([](Link& link) { link.schedule_flush(); });
  }
}

void LibraryPublisher::Link::schedule_flush() {
  if (flush_scheduled) return;
  flush_scheduled = true;
  loop.at_turn_end([keep = shared_from_this()] {
    keep->flush_scheduled = false;
    keep->flush();
  });
}

void LibraryPublisher::Link::flush() {
  if (!started || connection == nullptr || socket < 0 || !write_wanted) return;
  natsConnection_ProcessWriteEvent(connection);
  backlog = write_wanted ? static_cast<std::size_t>(natsConnection_Buffered(connection)) : 0;
  if (watch) watch->want(true, write_wanted);
}

void LibraryPublisher::Link::on_ready(bool readable, bool writable) {
  const auto keep = shared_from_this();
  if (readable) natsConnection_ProcessReadEvent(connection);
  if (writable) flush();
}

natsStatus LibraryPublisher::Link::send(const Outgoing& message) {
  subject = message.subject;
  reply = message.reply;
  const int size = static_cast<int>(message.payload.size());
  if (message.headers.empty()) {
    return reply.empty()
               ? natsConnection_Publish(connection, subject.c_str(), message.payload.data(), size)
               : natsConnection_PublishRequest(connection, subject.c_str(), reply.c_str(),
                                               message.payload.data(), size);
  }
  natsMsg* raw = nullptr;
  natsStatus status = natsMsg_Create(&raw, subject.c_str(), reply.empty() ? nullptr : reply.c_str(),
                                     message.payload.data(), size);
  for (const auto& [key, value] : message.headers) {
    if (status == NATS_OK) status = natsMsgHeader_Set(raw, key.c_str(), value.c_str());
  }
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection, raw);
  natsMsg_Destroy(raw);
  return status;
}

Result<std::unique_ptr<Publisher>> LibraryPublisher::connect(
    event::Loop& loop, const ConnectionOptions& options, const std::shared_ptr<InboundQueue>& queue,
    SubscriptionId id, const std::string& answers) {
  auto raw = common_options(options);
  if (!raw) return tl::unexpected(raw.error());
  auto link = std::make_shared<Link>(loop);
  natsStatus status = link->set_options(raw->get(), options.name);
  if (status == NATS_OK) status = link->connect(raw->get());
  if (status == NATS_OK) {
    status = subscribe_into(queue, id, false, link->live, link->connection, answers.c_str(),
                            nullptr, &link->answers);
  }
  if (status != NATS_OK) {
    link->abandon();
    return connect_error(status, options);
  }
  return std::unique_ptr<Publisher>(new LibraryPublisher(std::move(link)));
}

LibraryPublisher::LibraryPublisher(std::shared_ptr<Link> link) : link_(std::move(link)) {}

LibraryPublisher::~LibraryPublisher() {
  link_->close();
}

void LibraryPublisher::start() {
  link_->start();
}

bool LibraryPublisher::publish(const Outgoing& message) {
  Link& link = *link_;
  MARTLET_ASSERT(link.loop.is_inside());
  if (!link.connected) return false;
  const std::size_t bytes =
      message.subject.size() + message.reply.size() + message.payload.size() + kProtocolBytes;
  if (link.backlog + bytes > kMaxBacklogBytes) return false;
  const natsStatus status = link.send(message);
  if (status != NATS_OK) {
    MARTLET_LOG(error, "publish_failed subject={} bytes={} error=\"{}\"", message.subject,
                message.payload.size(), natsStatus_GetText(status));
    return false;
  }
  link.backlog += bytes;
  return true;
}

bool LibraryPublisher::is_connected() const {
  return link_->connected;
}

void LibraryPublisher::on_lost(std::function<void()> listener) {
  link_->listener = std::move(listener);
}

std::int64_t LibraryPublisher::max_payload() const {
  return natsConnection_GetMaxPayload(link_->connection);
}

std::size_t LibraryPublisher::backlog_bytes() const {
  return link_->backlog;
}

void LibraryPublisher::break_link() {
  if (link_->socket >= 0) ::shutdown(link_->socket, SHUT_RDWR);
}

}  // namespace martlet::nats
