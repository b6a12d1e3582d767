#include "tools/admin.h"

#include <cstdio>

#include "tools/api.h"

namespace martlet::tools {
namespace {

using nlohmann::json;

// Prints the page, as JSON or each object of its list by `print`.
Exit show(const ToolOptions& options, const Result<json>& page, const char* list,
          void (*print)(const json&)) {
  if (!page) return fail_asking(options, page.error());
  if (options.json) {
    std::printf("%s\n", page->dump().c_str());
    return Exit::kOk;
  }
  const auto found = page->find(list);
  if (found == page->end() || !found->is_array()) {
    return fail_with({ErrorCode::kUnavailable, "that is no api of ours", 0});
  }
  for (const json& one : *found) print(one);
  return Exit::kOk;
}

void print_edge(const json& edge) {
  const auto draining = edge.find("draining");
  const bool is_draining = draining != edge.end() && draining->is_boolean() && *draining;
  std::printf("%s %s address=%s connections=%llu sessions=%llu weight=%llu%s\n",
              text_of(edge, "edge").c_str(), text_of(edge, "name").c_str(),
              text_of(edge, "address").c_str(),
              static_cast<unsigned long long>(number_of(edge, "connections")),
              static_cast<unsigned long long>(number_of(edge, "sessions")),
              static_cast<unsigned long long>(number_of(edge, "weight")),
              is_draining ? " draining" : "");
}

void print_act(const json& act) {
  std::string line =
      utc(number_of(act, "time_ms")) + " " + text_of(act, "who") + " " + text_of(act, "act");
  for (const char* field : {"user", "device", "edge"}) {
    const std::string value = text_of(act, field);
    if (!value.empty()) line += std::string(" ") + field + "=" + value;
  }
  std::printf("%s\n", line.c_str());
}

Exit post(const ToolOptions& options, const std::string& path) {
  const auto page = ask_api(options, {path, net::HttpMethod::kPost});
  if (!page) return fail_asking(options, page.error());
  if (options.json) {
    std::printf("%s\n", page->dump().c_str());
  } else {
    const std::uint64_t devices = number_of(*page, "signed_out");
    std::printf("done%s\n",
                devices == 0 ? "" : (", signed out: " + std::to_string(devices)).c_str());
  }
  return Exit::kOk;
}

}  // namespace

Exit admin_edges(const ToolOptions& options) {
  return show(options, ask_api(options, {"/v1/edges"}), "edges", print_edge);
}

Exit admin_drain(const ToolOptions& options, const std::string& edge) {
  if (!EdgeId::parse(edge)) return fail_with({ErrorCode::kBadId, "not an edge's id: " + edge, 0});
  return post(options, "/v1/edges/" + edge + "/drain");
}

Exit admin_user(const ToolOptions& options, const std::string& act, const std::string& user,
                const std::string& device) {
  const auto name = parse_user(user);
  if (!name) return fail_with(name.error());
  std::string path = "/v1/users/" + name->str();
  if (!device.empty()) {
    const auto one = parse_device(device);
    if (!one) return fail_with(one.error());
    path += "/devices/" + one->str();
  }
  return post(options, path + "/" + act);
}

Exit admin_audit(const ToolOptions& options, std::uint32_t limit) {
  return show(options, ask_api(options, {"/v1/audit?limit=" + std::to_string(limit)}), "acts",
              print_act);
}

}  // namespace martlet::tools
