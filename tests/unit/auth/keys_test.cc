#include "auth/keys.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace martlet::auth {
namespace {

namespace fs = std::filesystem;

class KeysTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/martlet_keys_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override { fs::remove_all(directory); }

  std::string read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(directory + name).rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory + name) << text;
  }

  std::string directory;
};

TEST_F(KeysTest, AGeneratedPairBelongsTogether) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  const auto key = SigningKey::load(directory + "/signing/k1.pem");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kid(), "k1");
  const auto ring = KeyRing::load(directory + "/public");
  ASSERT_TRUE(ring);
  ASSERT_NE(ring->find("k1"), nullptr);
  EXPECT_TRUE(ring->find("k1")->verify("text", key->sign("text")));
  EXPECT_FALSE(ring->find("k1")->verify("texT", key->sign("text")));
}

TEST_F(KeysTest, SignaturesAreEd25519AsOthersVerifyIt) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  const auto key = SigningKey::load(directory + "/signing/k1.pem");
  const Bytes signature = key->sign("text");
  const Bytes raw = key->public_key().raw();
  EXPECT_EQ(crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.data()),
                                        reinterpret_cast<const unsigned char*>("text"), 4,
                                        reinterpret_cast<const unsigned char*>(raw.data())),
            0);
}

TEST_F(KeysTest, APairThatExistsIsKept) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  const std::string before = read("/signing/k1.pem");
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  EXPECT_EQ(read("/signing/k1.pem"), before);
}

TEST_F(KeysTest, AMissingPublicHalfIsMadeAgain) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  const std::string before = read("/public/k1.pem");
  fs::remove(directory + "/public/k1.pem");
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  EXPECT_EQ(read("/public/k1.pem"), before);
}

TEST_F(KeysTest, OnlyTheOwnerMayReadThePrivateHalf) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  struct stat status {};
  ASSERT_EQ(::stat((directory + "/signing/k1.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(KeysTest, AnIdThatIsNoneIsRefused) {
  EXPECT_FALSE(generate_key_pair(directory, "../k1"));
  EXPECT_FALSE(SigningKey::from_pem("a b", ""));
}

TEST_F(KeysTest, ARingHoldsSeveralKeysAndIgnoresOtherFiles) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  ASSERT_TRUE(generate_key_pair(directory, "k2"));
  write("/public/README", "x");
  const auto ring = KeyRing::load(directory + "/public");
  ASSERT_TRUE(ring);
  EXPECT_EQ(ring->size(), 2U);
  EXPECT_EQ(ring->find("k3"), nullptr);
}

TEST_F(KeysTest, ARingWithoutKeysIsAnError) {
  EXPECT_FALSE(KeyRing::load(directory));
  EXPECT_FALSE(KeyRing::load(directory + "/none"));
}

TEST_F(KeysTest, ABrokenFileOfARingIsNamed) {
  write("/k9.pem", "no key\n");
  const auto ring = KeyRing::load(directory);
  ASSERT_FALSE(ring);
  EXPECT_EQ(ring.error().detail,
            "key '" + directory + "/k9.pem': is no PEM key of the wanted kind");
}

TEST_F(KeysTest, AKeyThatIsAddedOrRemovedIsSeenByTheNextLook) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  auto watched = KeyDirectory::open(directory + "/public");
  ASSERT_TRUE(watched);
  EXPECT_FALSE(watched->look().value()) << "nothing has changed";
  ASSERT_TRUE(generate_key_pair(directory, "k2"));
  EXPECT_EQ(watched->keys().find("k2"), nullptr);
  EXPECT_TRUE(watched->look().value());
  EXPECT_NE(watched->keys().find("k2"), nullptr);
  EXPECT_EQ(watched->keys().names(), "k1,k2");
  fs::remove(directory + "/public/k1.pem");
  EXPECT_TRUE(watched->look().value());
  EXPECT_EQ(watched->keys().find("k1"), nullptr);
  EXPECT_FALSE(watched->look().value());
}

TEST_F(KeysTest, AFileThatIsOverwrittenIsSeenByTheNextLook) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  auto watched = KeyDirectory::open(directory + "/public");
  const auto other = SigningKey::generate("k1");
  write("/public/k1.pem", other->public_key().pem());
  fs::last_write_time(directory + "/public/k1.pem", fs::file_time_type::clock::now());
  EXPECT_TRUE(watched->look().value());
  EXPECT_EQ(watched->keys().find("k1")->raw(), other->public_key().raw());
}

TEST_F(KeysTest, ABrokenFileLeavesTheKeysAsTheyWereUntilItIsWhole) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  auto watched = KeyDirectory::open(directory + "/public");
  const auto key = SigningKey::generate("k2");
  const std::string pem = key->public_key().pem();
  write("/public/k2.pem", pem.substr(0, pem.size() / 2));
  EXPECT_FALSE(watched->look());
  EXPECT_NE(watched->keys().find("k1"), nullptr);
  EXPECT_FALSE(watched->look()) << "it says so again";
  write("/public/k2.pem", pem);
  EXPECT_TRUE(watched->look().value());
  EXPECT_NE(watched->keys().find("k2"), nullptr);
}

TEST_F(KeysTest, APrivateKeyAmongThePublicOnesIsAnError) {
  ASSERT_TRUE(generate_key_pair(directory, "k1"));
  EXPECT_FALSE(KeyRing::load(directory + "/signing"));
}

TEST_F(KeysTest, AFileThatIsTooLongIsAnError) {
  write("/k1.pem", std::string(kMaxKeyFileBytes + 1, 'x'));
  const auto key = SigningKey::load(directory + "/k1.pem");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().detail, "key '" + directory + "/k1.pem': is too long");
}

TEST_F(KeysTest, AnotherKindOfKeyIsRefused) {
  // An X25519 key, made once with the openssl command.
  const auto key = PublicKey::from_pem(
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VuAyEAP66FOfvAz7haZyi56W7swBVMLdqfknH37v482AIavUY=\n"
      "-----END PUBLIC KEY-----\n");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().detail, "is no Ed25519 key");
}

}  // namespace
}  // namespace martlet::auth
