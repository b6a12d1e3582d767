#include "service/version.h"

namespace martlet::service {

std::string_view version() {
  return MARTLET_VERSION;
}

}  // namespace martlet::service
