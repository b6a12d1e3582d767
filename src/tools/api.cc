#include "tools/api.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>

namespace martlet::tools {
namespace {

Result<std::string> read_token(const std::string& file) {
  if (file.empty()) return std::string();
  std::ifstream in(file);
  std::string token;
  if (!std::getline(in, token) || token.empty()) {
    return fail(ErrorCode::kNotAuthenticated, "no token in " + file);
  }
  return token;
}

// The api names its errors as everybody does.
Error refusal(const net::HttpAnswer& answer, const nlohmann::json& page) {
  if (!page.is_object()) {
    return {ErrorCode::kUnavailable, "status " + std::to_string(answer.status), 0};
  }
  const std::string name = page.value("error", "");
  const auto& codes = all_error_codes();
  const auto found = std::find_if(codes.begin(), codes.end(),
                                  [&](ErrorCode code) { return error_name(code) == name; });
  return {found == codes.end() ? ErrorCode::kUnavailable : *found, page.value("text", ""), 0};
}

}  // namespace

Exit fail_asking(const ToolOptions& options, const Error& error) {
  const Exit told = fail_with(error);
  return options.api.empty() ? Exit::kUsage : told;
}

Result<nlohmann::json> ask_api(const ToolOptions& options, net::HttpQuestion question) {
  if (options.api.empty()) {
    return fail(ErrorCode::kUnavailable, "which api? give --api http://HOST:PORT");
  }
  auto token = read_token(options.api_token_file);
  if (!token) return tl::unexpected(token.error());
  question.bearer = std::move(*token);
  const auto answer = net::call_http(options.api, question, timeout_of(options));
  if (!answer) return tl::unexpected(answer.error());
  auto page = nlohmann::json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !page.is_object()) return tl::unexpected(refusal(*answer, page));
  return page;
}

std::string text_of(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_of(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  const bool is_count = found != object.end() && found->is_number_integer() && *found >= 0;
  return is_count ? found->get<std::uint64_t>() : 0;
}

bool is_true(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string utc(std::uint64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace martlet::tools
