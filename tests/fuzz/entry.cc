// The door that libFuzzer knocks on; MARTLET_FUZZ_TARGET names the target of this program.
#include <cstddef>
#include <cstdint>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  martlet::fuzz::MARTLET_FUZZ_TARGET(martlet::base::as_view(data, size));
  return 0;
}
