#include "config/load.h"

#include <gtest/gtest.h>

#include <fstream>

#include "config/help.h"

namespace martlet::config {
namespace {

struct Options {
  std::string name = "default";
  std::uint32_t shards = 16;
  std::string url = "nats://127.0.0.1:4222";
  std::string password;
  std::vector<Address> servers{{"a", 1}};
};

class Load : public testing::Test {
 protected:
  void SetUp() override {
    keys.string("name", &options.name, {1, 64}, "A label.");
    keys.integer("cluster.shards", &options.shards, {1, 1024, "shards"}, "How many shards.");
    keys.url("nats.url", &options.url, "The broker.");
    keys.secret("db.password", &options.password, {0, 64}, "Its password.");
    keys.addresses("servers", &options.servers, {1, 4}, "Where to connect.");
  }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + "/martlet_" + name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    return path;
  }
  // The line of the error; empty: it worked.
  std::string load_error(Sources sources) {
    const auto done = load(keys, sources);
    return done ? "" : done.error().detail;
  }

  Options options;
  Keys keys;
};

TEST_F(Load, KeepsDefaultsWithoutSources) {
  EXPECT_EQ(load_error({}), "");
  EXPECT_EQ(options.name, "default");
  EXPECT_EQ(options.shards, 16U);
}

TEST_F(Load, ReadsNestedTablesOfAFile) {
  const std::string path = write("nested.toml",
                                 "name = \"edge-1\"\n[cluster]\nshards = 32\n"
                                 "[nats]\nurl = \"nats://b:1\"\n");
  EXPECT_EQ(load_error({{"--config", path}, {}}), "");
  EXPECT_EQ(options.name, "edge-1");
  EXPECT_EQ(options.shards, 32U);
  EXPECT_EQ(options.url, "nats://b:1");
}

TEST_F(Load, ReadsListsOfAFile) {
  const std::string path = write("list.toml", "servers = [\"a:1\", \"b:2\"]\n");
  EXPECT_EQ(load_error({{"--config=" + path}, {}}), "");
  EXPECT_EQ(options.servers.size(), 2U);
}

TEST_F(Load, EnvironmentWinsOverTheFile) {
  const std::string path = write("low.toml", "name = \"file\"\n");
  EXPECT_EQ(load_error({{}, {"MARTLET_CONFIG=" + path, "MARTLET_NAME=env"}}), "");
  EXPECT_EQ(options.name, "env");
}

TEST_F(Load, FlagsWinOverTheEnvironment) {
  EXPECT_EQ(load_error({{"--cluster.shards=3"}, {"MARTLET_CLUSTER_SHARDS=2"}}), "");
  EXPECT_EQ(options.shards, 3U);
}

TEST_F(Load, AFlagMayHaveItsValueBehindASpace) {
  EXPECT_EQ(load_error({{"--name", "x", "--cluster.shards", "4"}, {}}), "");
  EXPECT_EQ(options.name, "x");
  EXPECT_EQ(options.shards, 4U);
}

TEST_F(Load, AValueOutOfBoundsIsNamedWithKeyAndBound) {
  EXPECT_EQ(load_error({{"--cluster.shards=1025"}, {}}),
            "key 'cluster.shards' = '1025' (--cluster.shards): must be 1 to 1024 shards");
  EXPECT_EQ(load_error({{"--cluster.shards=0"}, {}}),
            "key 'cluster.shards' = '0' (--cluster.shards): must be 1 to 1024 shards");
}

TEST_F(Load, AnUnknownFlagIsNamedWithTheNearestOne) {
  EXPECT_EQ(load_error({{"--cluster.shard=1"}, {}}),
            "unknown flag '--cluster.shard', did you mean '--cluster.shards'?");
  EXPECT_EQ(load_error({{"--qqqqqqqqqq=1"}, {}}), "unknown flag '--qqqqqqqqqq'");
}

TEST_F(Load, AnUnknownKeyOfTheFileIsNamedWithItsLine) {
  const std::string path = write("unknown.toml", "name = \"a\"\n[nats]\nurll = \"b\"\n");
  EXPECT_EQ(load_error({{"--config", path}, {}}),
            path + ":3: unknown key 'nats.urll', did you mean 'nats.url'?");
}

TEST_F(Load, AnUnknownVariableIsNamed) {
  EXPECT_EQ(load_error({{}, {"MARTLET_CLUSTER_SHARD=1", "HOME=x"}}),
            "unknown environment variable 'MARTLET_CLUSTER_SHARD', did you mean "
            "'MARTLET_CLUSTER_SHARDS'?");
}

TEST_F(Load, VariablesOfTheDevelopmentCommandsAreLeftAlone) {
  EXPECT_EQ(load_error({{}, {"MARTLET_TEST_NATS_URL=x", "MARTLET_BUILD_DIR=y"}}), "");
}

TEST_F(Load, VariablesOfTheToolAreLeftAlone) {
  EXPECT_EQ(load_error({{},
                        {"MARTLET_PASSWORD=x", "MARTLET_SERVER=x", "MARTLET_HOME=x",
                         "MARTLET_API=x", "MARTLET_TLS_CA=x", "MARTLET_TLS_NAME=x"}}),
            "");
  EXPECT_NE(load_error({{}, {"MARTLET_PASSWORDS=x"}}), "") << "only exactly these";
  EXPECT_NE(load_error({{}, {"MARTLET_PASSWORD_FILE=x"}}), "");
}

TEST_F(Load, RefusesFlagsWithoutValueAndTwice) {
  EXPECT_EQ(load_error({{"--name"}, {}}), "--name needs a value");
  EXPECT_EQ(load_error({{"--name", "--cluster.shards=1"}, {}}), "--name needs a value");
  EXPECT_EQ(load_error({{"--name=a", "--name=b"}, {}}), "--name is given twice");
  EXPECT_EQ(load_error({{"stray"}, {}}), "what is 'stray'? see --help");
}

TEST_F(Load, AFileThatDoesNotParseIsNamedWithItsLine) {
  const std::string path = write("broken.toml", "name = \"a\"\nname 2\n");
  EXPECT_EQ(load_error({{"--config", path}, {}}).rfind(path + ":2: ", 0), 0U);
}

TEST_F(Load, ValuesThatAreNoTextNumberOrListAreRefused) {
  const std::string path = write("date.toml", "name = 1979-05-27\n");
  EXPECT_EQ(load_error({{"--config", path}, {}}),
            path + ":1: key 'name' is no string, integer, boolean or list of them");
}

TEST_F(Load, AMissingFileIsNamed) {
  EXPECT_EQ(load_error({{"--config", "/nowhere.toml"}, {}}),
            "configuration file '/nowhere.toml': No such file or directory");
}

TEST_F(Load, SecretsAreReadFromFilesWithoutTheLastLineEnd) {
  const std::string path = write("password", "s3cret\n");
  EXPECT_EQ(load_error({{"--db.password_file", path}, {}}), "");
  EXPECT_EQ(options.password, "s3cret");
}

TEST_F(Load, ASecretInAFlagWinsOverItsFileInTheEnvironment) {
  const std::string path = write("password", "s3cret\n");
  EXPECT_EQ(load_error({{"--db.password=flag"}, {"MARTLET_DB_PASSWORD_FILE=" + path}}), "");
  EXPECT_EQ(options.password, "flag");
}

TEST_F(Load, ASecretAndItsFileInOneSourceAreAnError) {
  EXPECT_EQ(load_error({{"--db.password=a", "--db.password_file=b"}, {}}),
            "--db.password and --db.password_file are both given");
}

TEST_F(Load, ASecretFileThatIsMissingIsNamed) {
  EXPECT_EQ(load_error({{"--db.password_file=/nowhere"}, {}}),
            "key 'db.password_file' = '/nowhere' (--db.password_file): the file can't be read");
}

TEST_F(Load, ErrorsDoNotShowSecrets) {
  EXPECT_EQ(load_error({{"--db.password=" + std::string(65, 'x')}, {}}),
            "key 'db.password' = '***' (--db.password): must be 0 to 64 bytes long");
}

TEST_F(Load, TheEffectiveConfigurationMasksSecrets) {
  ASSERT_EQ(load_error({{"--db.password=p", "--nats.url=nats://u:pw@h:1", "--name=a b"}, {}}), "");
  EXPECT_EQ(effective(keys),
            "name=\"a b\" cluster.shards=16 nats.url=nats://u:***@h:1 db.password=*** "
            "servers=a:1");
}

TEST_F(Load, HelpListsEveryKeyWithItsFacts) {
  const std::string text = help("martlet-edge", keys);
  EXPECT_NE(text.find("  --cluster.shards\n      How many shards.\n"
                      "      (integer, shards, 1 to 1024, default 16)\n"),
            std::string::npos);
}

TEST(LoadRequired, AKeyWithoutDefaultMustBeGiven) {
  std::string directory;
  Keys keys;
  keys.path("auth.keys", &directory, PathRule::kExistingDirectory, "Public keys.");
  const auto done = load(keys, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail,
            "key 'auth.keys' is needed: Public keys. (--auth.keys, MARTLET_AUTH_KEYS or the "
            "configuration file)");
}

}  // namespace
}  // namespace martlet::config
