#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace martlet::base {

bool start_logging(const LogOptions& options) {
  const auto level = spdlog::level::from_str(options.level);
  if (level == spdlog::level::off && options.level != "off") return false;
  try {
    std::shared_ptr<spdlog::logger> logger;
    if (options.file.empty()) {
      logger = spdlog::stderr_logger_mt(options.service);
    } else {
      logger = spdlog::basic_logger_mt(options.service, options.file);
    }
    logger->set_level(level);
    logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l service=%n %v",
                        spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex&) {
    return false;
  }
  return true;
}

}  // namespace martlet::base
