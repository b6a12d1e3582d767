#include "auth/keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <filesystem>
#include <set>

#include "auth/files.h"
#include "auth/openssl.h"
#include "base/assert.h"
#include "model/ids.h"

namespace martlet::auth {
namespace {

namespace fs = std::filesystem;

using KeyPointer = std::shared_ptr<EVP_PKEY>;

tl::unexpected<Error> wrong(const std::string& path, const std::string& why) {
  return fail(ErrorCode::kBadContent, "key '" + path + "': " + why);
}

using BioPointer = std::unique_ptr<BIO, Deleter<BIO_free>>;

BioPointer bio_of(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a password is refused: OpenSSL would ask for it on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

Result<KeyPointer> checked(EVP_PKEY* key) {
  if (key == nullptr) return fail(ErrorCode::kBadContent, "is no PEM key of the wanted kind");
  KeyPointer owned(key, EVP_PKEY_free);
  if (EVP_PKEY_id(key) != EVP_PKEY_ED25519) {
    return fail(ErrorCode::kBadContent, "is no Ed25519 key");
  }
  return owned;
}

Result<std::string> read_key_file(const std::string& path) {
  return read_small_file("key", path, kMaxKeyFileBytes);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// Changes whenever a file of the directory does.
std::string looks_of(const std::string& directory) {
  std::set<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".pem") continue;
    const std::string look = look_of_file(entry.path());
    if (!look.empty()) files.insert(entry.path().filename().string() + ' ' + look);
  }
  std::string all;
  for (const std::string& file : files) all += file + '\n';
  return all;
}

}  // namespace

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  auto key = checked(PEM_read_bio_PUBKEY(bio_of(pem).get(), nullptr, no_password, nullptr));
  if (!key) return tl::unexpected(key.error());
  return PublicKey(std::move(*key));
}

bool PublicKey::verify(BytesView message, BytesView signature) const {
  return signature.size() == kSignatureBytes &&
         is_signature(key_.get(), nullptr, message, signature);
}

std::string PublicKey::pem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  MARTLET_ASSERT(PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  return text_of(bio.get());
}

Bytes PublicKey::raw() const {
  Bytes out(32, '\0');
  std::size_t size = out.size();
  auto* data = reinterpret_cast<unsigned char*>(out.data());
  MARTLET_ASSERT(EVP_PKEY_get_raw_public_key(key_.get(), data, &size) == 1 && size == out.size());
  return out;
}

Result<SigningKey> SigningKey::generate(std::string kid) {
  if (!is_valid_id(kid)) return fail(ErrorCode::kBadId, "the key id is no id");
  auto key = checked(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return tl::unexpected(key.error());
  return SigningKey(std::move(kid), std::move(*key));
}

std::string SigningKey::pem() const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  MARTLET_ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                               nullptr) == 1);
  return text_of(bio.get());
}

Result<SigningKey> SigningKey::from_pem(std::string kid, std::string_view pem) {
  if (!is_valid_id(kid)) return fail(ErrorCode::kBadId, "the key id is no id");
  auto key = checked(PEM_read_bio_PrivateKey(bio_of(pem).get(), nullptr, no_password, nullptr));
  if (!key) return tl::unexpected(key.error());
  return SigningKey(std::move(kid), std::move(*key));
}

Result<SigningKey> SigningKey::load(const std::string& path) {
  const auto text = read_key_file(path);
  if (!text) return tl::unexpected(text.error());
  auto key = from_pem(fs::path(path).stem().string(), *text);
  if (!key) return wrong(path, key.error().detail);
  return key;
}

Bytes SigningKey::sign(BytesView message) const {
  const DigestPointer context(EVP_MD_CTX_new());
  MARTLET_ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  Bytes signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  auto* data = reinterpret_cast<unsigned char*>(signature.data());
  MARTLET_ASSERT(EVP_DigestSign(context.get(), data, &size, base::as_u8(message), message.size()) ==
                 1);
  MARTLET_ASSERT(size == kSignatureBytes);
  return signature;
}

Result<KeyRing> KeyRing::load(const std::string& directory) {
  KeyRing ring;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".pem") continue;
    if (!is_valid_id(path.stem().string())) return wrong(path, "its name is no id");
    if (ring.size() == kMaxKeys) return wrong(path, "there are more than 64 keys");
    const auto text = read_key_file(path);
    if (!text) return tl::unexpected(text.error());
    auto key = PublicKey::from_pem(*text);
    if (!key) return wrong(path, key.error().detail);
    ring.add(path.stem().string(), std::move(*key));
  }
  if (error) return wrong(directory, error.message());
  if (ring.size() == 0) return wrong(directory, "there is no <kid>.pem");
  return ring;
}

void KeyRing::add(std::string kid, PublicKey key) {
  keys_.insert_or_assign(std::move(kid), std::move(key));
}

const PublicKey* KeyRing::find(std::string_view kid) const {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? nullptr : &found->second;
}

std::string KeyRing::names() const {
  std::string names;
  for (const auto& [kid, key] : keys_) names += (names.empty() ? "" : ",") + kid;
  return names;
}

Result<KeyDirectory> KeyDirectory::open(std::string directory) {
  // In this order: what changes in between is seen by the next look.
  std::string seen = looks_of(directory);
  auto keys = KeyRing::load(directory);
  if (!keys) return tl::unexpected(keys.error());
  return KeyDirectory(std::move(directory), std::move(seen), std::move(*keys));
}

Result<bool> KeyDirectory::look() {
  std::string now = looks_of(directory_);
  if (now == seen_) return false;
  auto keys = KeyRing::load(directory_);
  if (!keys) return tl::unexpected(keys.error());
  seen_ = std::move(now);
  keys_ = std::move(*keys);
  return true;
}

Result<void> generate_key_pair(const std::string& directory, const std::string& kid) {
  if (!is_valid_id(kid)) return fail(ErrorCode::kBadId, "the key id is no id");
  const fs::path private_path = fs::path(directory) / "signing" / (kid + ".pem");
  const fs::path public_path = fs::path(directory) / "public" / (kid + ".pem");
  std::error_code error;
  fs::create_directories(private_path.parent_path(), error);
  if (!error) fs::create_directories(public_path.parent_path(), error);
  if (error) return wrong(directory, error.message());

  if (!fs::exists(private_path, error)) {
    const auto key = SigningKey::generate(kid);
    if (!key) return tl::unexpected(key.error());
    const auto done = write_small_file("key", private_path, key->pem(), 0600);
    if (!done) return done;
  } else if (fs::exists(public_path, error)) {
    return {};
  }
  // From the file, so that the halves belong together whatever happened before.
  const auto key = SigningKey::load(private_path);
  if (!key) return tl::unexpected(key.error());
  return write_small_file("key", public_path, key->public_key().pem(), 0644);
}

}  // namespace martlet::auth
