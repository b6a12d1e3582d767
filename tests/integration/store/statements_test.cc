#include "database.h"

namespace martlet::store {
namespace {

class StatementsTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    connection_ = connect();
  }
  pg::Result<std::string> ask(const std::string& sql, std::string_view value) {
    pg::Transaction tx(*connection_, pg::Mode::kReadWrite);
    const pg::Rows rows = tx.query(sql, pg::Params().text(value));
    if (const auto done = tx.commit(); !done) return tl::unexpected(done.error());
    return std::string(rows.text(0, 0));
  }
  // Statements without values are not prepared, this one neither.
  std::string prepared_here() {
    pg::Transaction tx(*connection_, pg::Mode::kReadWrite);
    return std::string(tx.query("SELECT count(*) FROM pg_prepared_statements").text(0, 0));
  }

  std::unique_ptr<pg::Connection> connection_;
};

TEST_F(StatementsTest, EachIsPreparedOnce) {
  for (int i = 0; i < 7; ++i) EXPECT_EQ(ask("SELECT $1::int + 1", "6").value_or("?"), "7");
  EXPECT_EQ(prepared_here(), "1");
}

TEST_F(StatementsTest, OneThatFailedOnItsContentWorksWithAnother) {
  const auto failed = ask("SELECT $1::int", "x");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().failure, pg::Failure::kContent);
  EXPECT_EQ(ask("SELECT $1::int", "7").value_or("?"), "7");
}

TEST_F(StatementsTest, OneThatMakesNoSenseIsNotRemembered) {
  EXPECT_FALSE(ask("SELECT $1::text FROM birds", "x"));
  run("CREATE TABLE birds (name text)");
  run("INSERT INTO birds VALUES ('martlet')");
  EXPECT_EQ(ask("SELECT $1::text FROM birds", "x").value_or("?"), "x");
}

TEST_F(StatementsTest, ManyMoreThanAreKept) {
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(ask("SELECT $1::int + " + std::to_string(i), "1").value_or("?"),
              std::to_string(i + 1));
  }
  EXPECT_EQ(prepared_here(), "200");
  EXPECT_EQ(ask("SELECT $1::int + 299", "1").value_or("?"), "300");
}

TEST_F(StatementsTest, AChangedTableIsPlannedAnew) {
  run("CREATE TABLE birds (name text, eggs int DEFAULT 3)");
  run("INSERT INTO birds VALUES ('martlet')");
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(ask("SELECT eggs FROM birds WHERE name = $1", "martlet").value_or("?"), "3");
  }
  run("ALTER TABLE birds ADD COLUMN nest text");
  run("CREATE INDEX ON birds (name)");
  EXPECT_EQ(ask("SELECT eggs FROM birds WHERE name = $1", "martlet").value_or("?"), "3");
}

}  // namespace
}  // namespace martlet::store
