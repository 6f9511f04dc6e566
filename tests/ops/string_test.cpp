// SPDX-License-Identifier: Apache-2.0
// Strings: regular expressions in RE2's syntax against known answers, case mapping, splitting.
#include "ops/string/regex.h"
#include "ops/string/utf8.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

struct Match {
  const char* pattern;
  const char* text;
  bool expected;
};
constexpr Match kMatches[] = {
    {"a*b+c?", "aabb", true},       {"a*b+c?", "aacc", false},         {"(foo|bar|)baz", "baz", true},   {"(foo|bar)+", "foobarfoo", true},
    {"[^a-c]x", "dx", true},        {"[^a-c]x", "bx", false},          {"[]a]+", "]a]", true},           {"[a-]+", "a-a", true},
    {"\\d{3}-\\d{2,4}", "123-45", true}, {"\\d{3}-\\d{2,4}", "123-4", false}, {"a{2,}", "aaaa", true},     {"a{0,2}", "aaa", false},
    {"a{,2}", "a{,2}", true},       {"(?i)straße", "STRAßE", true},    {"(?i)[^k]", "K", false},         {"(?i:a)b", "AB", false},
    {".", "\n", false},             {"(?s).", "\n", true},             {".", "ä", true},                 {"\\x{e4}\\x41", "äA", true},
    {"\\bfoo\\b.*", "foo bar", true}, {"\\bfoo\\b.*", "foobar", false}, {"^a$", "a", true},              {"(?m)a$\\n^b", "a\nb", true},
    {"a$\\nb", "a\nb", false},      {"\\Qa.b\\E+", "a.bb", true},      {"[[:alpha:]]+", "abc", true},    {"[[:^digit:]]", "1", false},
    {"(?P<year>\\d+)", "2026", true}, {"\\W", "_", false},             {"\\S+\\s\\S+", "a\tb", true},    {"(a|b)*?c", "abc", true},
    {"(a*)*", "aaa", true},         {"(|a)+", "", true},               {"\\101", "A", true},             {"", "", true}};

TEST(Regex, MatchesWholeTexts) {
  for (const Match& match : kMatches) {
    const auto regex = ops::Regex::compile(match.pattern);
    ASSERT_TRUE(regex.ok()) << match.pattern << ": " << regex.status().to_string();
    EXPECT_EQ(regex->full_match(match.text).value(), match.expected) << match.pattern << " on " << match.text;
  }
}

TEST(Regex, PatternsThatBacktrackElsewhereTakeNoTimeHere) {
  const std::string text(5000, 'a');
  for (const char* pattern : {"(a+)+b", "(a|a)*b", "(a*)*b", "a{0,500}a{0,500}b"}) {
    EXPECT_FALSE(ops::Regex::compile(pattern).value().full_match(text).value()) << pattern;
  }
}

TEST(Regex, RefusesWhatItCannotDo) {
  for (const char* pattern : {"(", ")", "[a", "*a", "a**", "[z-a]", "a{2,1}", "a{1001}", "\\", "[[:nope:]]", "(?<a", "(?=a)", "\\x{110000}"}) {
    EXPECT_TRUE(fails(ops::Regex::compile(pattern), ErrorCode::InvalidArgument, "pattern, character")) << pattern;
  }
  EXPECT_TRUE(fails(ops::Regex::compile("\\pL"), ErrorCode::Unsupported, "\\p"));
  EXPECT_TRUE(fails(ops::Regex::compile("(a)\\1"), ErrorCode::Unsupported, "\\1"));
  EXPECT_TRUE(fails(ops::Regex::compile("((a{1000}){1000}){1000}"), ErrorCode::ResourceExhausted, "steps"));
  EXPECT_TRUE(fails(ops::Regex::compile(std::string(10000, '(')), ErrorCode::InvalidArgument, "nested too deeply"));
}

TEST(Utf8, MapsCaseWithoutALocale) {
  EXPECT_EQ(ops::to_upper("Größe, ÿ, ž, Σίσυφος, жар, հայ"), "GRÖßE, Ÿ, Ž, ΣΊΣΥΦΟς, ЖАР, ՀԱՅ");
  EXPECT_EQ(ops::to_lower("ÀÉÎ Ÿ ŽŁ ΆΣ ЁЖ ＡＢ"), "àéî ÿ žł άσ ёж ａｂ");
  EXPECT_EQ(ops::to_upper("a\xff\xc3"), "A\xff\xc3");
}

TEST(StringNormalizer, DropsStopWordsWhateverTheirCase) {
  EXPECT_TRUE(same(run_op1("StringNormalizer", {strings({3}, {"The", "cat", "ÖL"})},
                           attributes({{"case_change_action", "LOWER"}, {"stopwords", std::vector<std::string>{"the", "öl"}}})),
                   strings({1}, {"cat"})));
}

TEST(StringSplit, KeepsTheRestWhole) {
  const auto parts = run_op("StringSplit", {strings({2}, {"  a b  c ", "d"})}, attributes({{"maxsplit", 1}}), 2);
  ASSERT_TRUE(parts.ok()) << parts.status().to_string();
  EXPECT_TRUE(same((*parts)[0], strings({2, 2}, {"a", "b  c ", "d", ""})));
  EXPECT_TRUE(same((*parts)[1], ints({2, 1})));
}

TEST(TfIdfVectorizer, WeighsWhatOccurs) {
  const Attributes common = attributes({{"mode", "TFIDF"}, {"min_gram_length", 1}, {"max_gram_length", 2}, {"max_skip_count", 1},
                                        {"ngram_counts", std::vector<std::int64_t>{0, 2}}, {"ngram_indexes", std::vector<std::int64_t>{0, 2, 1}},
                                        {"pool_strings", std::vector<std::string>{"a", "b", "a", "b"}}, {"weights", std::vector<double>{1, 2, 0.5}}});
  EXPECT_TRUE(same(run_op1("TfIdfVectorizer", {strings({4}, {"a", "b", "b", "a"})}, common), tensor<float>({3}, {2, 1, 4})));
}

}  // namespace
}  // namespace fovea::testing
