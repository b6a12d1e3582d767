#include "bus/metrics.h"

#include "bus/nats_bus.h"

namespace martlet::bus {

void add_metrics(metrics::Registry& registry, const NatsBus* bus) {
  const auto read = [bus](auto BusStats::*field) {
    return [bus, field] { return bus != nullptr ? static_cast<double>(bus->stats().*field) : 0; };
  };
  registry.gauge_from({"martlet_bus_connected", "none", "1 while connected to the broker."},
                      [bus] { return bus != nullptr && bus->is_connected() ? 1.0 : 0.0; });
  registry.counter_from({"martlet_bus_published_total", "messages", "Messages published."},
                        read(&BusStats::published));
  registry.counter_from({"martlet_bus_publish_dropped_total", "messages",
                         "Messages not published: not connected, or too much was waiting."},
                        read(&BusStats::publish_dropped));
  registry.counter_from({"martlet_bus_received_total", "messages", "Messages received."},
                        read(&BusStats::received));
  registry.counter_from({"martlet_bus_receive_dropped_total", "messages",
                         "Messages that came faster than they were taken, and were dropped."},
                        read(&BusStats::receive_dropped));
  registry.counter_from({"martlet_bus_reconnects_total", "times", "Links to the broker renewed."},
                        read(&BusStats::reconnects));
  registry.gauge_from({"martlet_bus_waiting_requests", "requests", "Requests without an answer."},
                      read(&BusStats::waiting_requests));
  registry.gauge_from(
      {"martlet_bus_backlog_bytes", "bytes", "Published, not yet taken by the socket."},
      read(&BusStats::backlog_bytes));
  registry.gauge_from({"martlet_bus_waiting_messages", "messages", "Received, not yet handled."},
                      read(&BusStats::waiting_messages));
}

}  // namespace martlet::bus
