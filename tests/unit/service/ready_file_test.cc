#include "service/ready_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace martlet::service {
namespace {

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(ReadyFile, HoldsNamePidAndAddresses) {
  const std::string path = testing::TempDir() + "/martlet_ready";
  ASSERT_TRUE(write_ready_file(path, {"edge-1", 42, "127.0.0.1:1", "127.0.0.1:2"}));
  EXPECT_EQ(
      read(path),
      "{\"name\":\"edge-1\",\"pid\":42,\"http\":\"127.0.0.1:1\",\"listen\":\"127.0.0.1:2\"}\n");
  EXPECT_NE(::access((path + ".new").c_str(), F_OK), 0);
  remove_ready_file(path);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(ReadyFile, TellsWhenItCannotBeWritten) {
  const auto done = write_ready_file("/dev/null/ready", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail, "ready_file '/dev/null/ready': Not a directory");
}

}  // namespace
}  // namespace martlet::service
