#include "sim/nodes.h"

#include <utility>

#include "base/bytes.h"
#include "base/planted.h"
#include "sim/sockets.h"

namespace martlet::sim {
namespace {

constexpr std::string_view kGoodToken = "good/";
constexpr std::string_view kForgedToken = "evil/";
// Wall clocks of two processes differ by up to a second.
constexpr Duration kMostSkew = std::chrono::milliseconds(500);
constexpr WallMs kTokenLife = 3'600'000;

Result<edge::TokenClaims> verify_token(std::string_view token, WallMs now) {
  // Planted fault: nobody looks at the signature.
  const bool is_good = token.starts_with(kGoodToken) || is_planted(Planted::kSkipTokenCheck);
  if (!is_good) return fail(ErrorCode::kTokenInvalid, "not one of ours");
  token.remove_prefix(kGoodToken.size());
  const std::size_t slash = token.find('/');
  return edge::TokenClaims{UserId::trusted(token.substr(0, slash)),
                           DeviceId::trusted(token.substr(slash + 1)), now + kTokenLife};
}

// Presence is for people: nothing that a message needs depends on it.
class NoSessions final : public registry::Sessions {
 public:
  void add(const registry::SessionRecord&) override {}
  void remove(const registry::SessionRecord&) override {}
  void read(const UserId&, Records callback) override {
    callback(std::vector<registry::SessionRecord>());
  }
  std::uint64_t dropped() const override { return 0; }
};

edge::EdgeOptions edge_options(const WorldOptions& world, std::uint16_t port) {
  edge::EdgeOptions options;
  options.listen = {"127.0.0.1", port};
  options.tail_check = world.tail_check;
  options.linger = world.linger;
  options.unanswered.max_frames_per_shard = world.credit;
  return options;
}

persist::PersistOptions persist_options(const WorldOptions& world) {
  persist::PersistOptions options;
  options.keep = world.keep;
  options.hash_threads = 1;
  return options;
}

}  // namespace

std::string token_of(const UserId& user, const DeviceId& device) {
  return std::string(kGoodToken) + user.str() + "/" + device.str();
}

std::string forged_token_of(const UserId& user, const DeviceId& device) {
  std::string token = token_of(user, device);
  return token.replace(0, kGoodToken.size(), kForgedToken);
}

Node::Node(std::string name, const Backbone& backbone)
    : backbone_(backbone),
      lane_(std::make_shared<Lane>(Lane{
          .name = std::move(name), .wall_skew = Scheduler::get().between(-kMostSkew, kMostSkew)})),
      link_(backbone.broker.open(lane_)) {}

void Node::die() {
  lane_->dead = true;
  lane_->held.clear();
  backbone_.broker.close(link_);
  Sockets::get().process_died(lane_);
}

// ---- edge ------------------------------------------------------------------------------------

struct EdgeNode::Process {
  Process(EdgeNode& node, const WorldOptions& world, std::uint16_t port)
      : bus(node.backbone_.broker, node.link_),
        metrics(node.registry_),
        edge({.loop = loop,
              .clock = clock,
              .random = random,
              .bus = bus,
              .registry = sessions,
              .metrics = metrics,
              .verify_token = &verify_token,
              .identity = {.id = EdgeId::trusted(base::to_hex(random.bytes(8))),
                           .name = node.lane_->name,
                           .shards = world.shards},
              .options = edge_options(world, port)}) {}

  event::Loop loop;
  event::LoopClock clock{loop};
  SystemRandom random;
  SimBus bus;
  NoSessions sessions;
  edge::EdgeMetrics metrics;
  edge::Edge edge;
};

EdgeNode::EdgeNode(std::string name, const Backbone& backbone, const WorldOptions& options,
                   std::uint16_t port)
    : Node(std::move(name), backbone) {
  // Sessions of a device are ordered by the clocks of their edges: one that begins at an edge which
  // is behind, within that time, is taken for the older one and ended for good. A known hole.
  lane_->wall_skew = Duration(0);
  const InLane inside(lane_);
  process_ = std::make_unique<Process>(*this, options, port);
}

EdgeNode::~EdgeNode() {
  die();
}

void EdgeNode::start() {
  const InLane inside(lane_);
  process_->edge.start([this](const Result<void>& started) {
    if (!started) on_failed();
  });
}

void EdgeNode::stop(std::function<void()> done) {
  const InLane inside(lane_);
  process_->edge.drain([this, done] { process_->edge.close_all(done); });
}

// ---- dispatcher ------------------------------------------------------------------------------

struct DispatcherNode::Process {
  Process(DispatcherNode& node, const WorldOptions& world)
      : options{.shard = world.shard},
        member(node.lane_->name + "-" + base::to_hex(random.bytes(4))),
        bus(node.backbone_.broker, node.link_),
        log(node.backbone_.broker, node.backbone_.jetstream, node.link_),
        kv(node.backbone_.broker, node.backbone_.jetstream, node.link_),
        leases(loop, kv, random, {.kind = "dispatch", .member = member, .shards = world.shards}),
        metrics(node.registry_),
        dispatcher({loop, bus, log, leases, options, world.shards, member, metrics}) {}

  event::Loop loop;
  SystemRandom random;
  dispatcher::DispatcherOptions options;
  std::string member;
  SimBus bus;
  SimLog log;
  SimKv kv;
  bus::KvLeases leases;
  dispatcher::DispatcherMetrics metrics;
  dispatcher::Dispatcher dispatcher;
};

DispatcherNode::DispatcherNode(std::string name, const Backbone& backbone,
                               const WorldOptions& options)
    : Node(std::move(name), backbone) {
  const InLane inside(lane_);
  process_ = std::make_unique<Process>(*this, options);
}

DispatcherNode::~DispatcherNode() {
  die();
}

void DispatcherNode::start() {
  const InLane inside(lane_);
  process_->dispatcher.start();
}

void DispatcherNode::stop(std::function<void()> done) {
  const InLane inside(lane_);
  process_->dispatcher.let_go_of_all([this, done] { process_->dispatcher.stop(done); });
}

// ---- persist ---------------------------------------------------------------------------------

struct PersistNode::Process {
  Process(PersistNode& node, const WorldOptions& world) {
    const Backbone& backbone = node.backbone_;
    persist::Backends backends;
    backends.bus = std::make_unique<SimBus>(backbone.broker, node.link_);
    backends.log = std::make_unique<SimLog>(backbone.broker, backbone.jetstream, node.link_);
    backends.cluster = std::make_unique<SimKv>(backbone.broker, backbone.jetstream, node.link_);
    backends.leases = std::make_unique<bus::KvLeases>(
        loop, *backends.cluster, random,
        bus::LeaseOptions{.kind = "persist",
                          .member = node.lane_->name + "-" + base::to_hex(random.bytes(4)),
                          .shards = world.shards});
    backends.store = std::make_unique<SimStore>(backbone.database, node.lane_);
    backends.key = std::make_unique<auth::SigningKey>(backbone.key);
    persist = std::make_unique<persist::Persist>(loop, node.registry_, persist_options(world),
                                                 world.shards, std::move(backends));
  }

  event::Loop loop;
  SystemRandom random;
  std::unique_ptr<persist::Persist> persist;
};

PersistNode::PersistNode(std::string name, const Backbone& backbone, const WorldOptions& options)
    : Node(std::move(name), backbone) {
  const InLane inside(lane_);
  process_ = std::make_unique<Process>(*this, options);
}

PersistNode::~PersistNode() {
  die();
}

void PersistNode::start() {
  const InLane inside(lane_);
  process_->persist->start([this](const Result<void>& started) {
    if (!started) on_failed();
  });
}

void PersistNode::stop(std::function<void()> done) {
  const InLane inside(lane_);
  process_->persist->stop_phase_one([this, done] { process_->persist->stop_phase_two(done); });
}

}  // namespace martlet::sim
