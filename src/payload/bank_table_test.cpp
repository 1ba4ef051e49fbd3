// Account statements: English and German ones become rows of one form, and nothing is guessed.
// SPDX-License-Identifier: Apache-2.0
#include "payload/bank_table.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

Result<std::string> rows_of(std::string_view text, bool machine_numbers = false) {
  std::string out;
  BankTable table("b.csv", machine_numbers, [&out](std::string_view row) {
    out += row;
    return ok();
  });
  for (std::size_t at = 0; at < text.size(); at += 7) LAB_TRY(table.take(text.substr(at, 7)));
  LAB_TRY(table.finish());
  return out;
}

TEST(BankTable, GivesEnglishAndGermanStatementsOneForm) {
  struct Case {
    const char* what;
    const char* text;
    const char* rows;
  };
  for (const Case& c : {
           Case{"English",
                "Date,Description,Amount,Currency,Balance\n2024-12-31,\"Coffee, "
                "black\",-3.50,EUR,\"1,234.00\"\n",
                "2024-12-31,-3.50,EUR,,\"Coffee, black\",1234.00\n"},
           Case{"German in UTF-8 with a mark",
                "\xEF\xBB\xBF"
                "Buchungstag;Wertstellung;Empfänger;Verwendungszweck;Betrag (EUR);Währung;Saldo\r\n"
                "31.12.2024;02.01.2025;Bäckerei;Brot;-1.234,56;EUR;10.000,00 EUR\r\n",
                "2024-12-31,-1234.56,EUR,Bäckerei,Brot,10000.00\n"},
           Case{"German in Latin-1 behind a bank's own lines",
                "\"Umsatzanzeige\"\n\nKunde;Erika\n\"Buchung\";\"Auftraggeber/Empf\xE4nger\";\"Betrag\"\n"
                "\"1.2.24\";\"M\xFCller\";\"5,00\"\n",
                "2024-02-01,5.00,,Müller,,\n"},
           Case{"credit and debit",
                "DATE\tTRANSACTION DETAILS\tWITHDRAWAL AMT\tDEPOSIT AMT\n"
                "29-Jun-17\tout\t1,000.00\t\n30-Jun-17\tin\t\t2.5\n1-Jul-17\tzero\t0.00\t7\n",
                "29-Jun-17,-1000.00,,,out,\n30-Jun-17,2.5,,,in,\n1-Jul-17,7,,,zero,\n"},
           Case{"a column of sides",
                "Buchungstag;Umsatz;Soll/Haben\n1.2.2024;5,00;S\n1.2.2024;5,00;h\n1.2.2024;-5,00;Soll\n",
                "2024-02-01,-5.00,,,,\n2024-02-01,5.00,,,,\n2024-02-01,-5.00,,,,\n"},
           Case{"sides in English", "Date,Amount,Credit/Debit\n2024-01-01,1,DBIT\n2024-01-01,1,Cr\n",
                "2024-01-01,-1,,,,\n2024-01-01,1,,,,\n"},
           Case{"sides without a name",
                "\"Valuta\";\"W\xE4hrung\";\"Umsatz\";\" \"\n1.2.24;EUR;7,00;S\n1.2.24;EUR;7,00;H\n",
                "2024-02-01,-7.00,EUR,,,\n2024-02-01,7.00,EUR,,,\n"},
           Case{"a delimiter behind each row", "Date,Amount,\n2024-01-01,1,\n2024-01-02,2,,\n",
                "2024-01-01,1,,,,\n2024-01-02,2,,,,\n"},
           Case{"a header again, and empty rows", "Date,Amount\n2024-01-01,1\n,\nDate,Amount\n2024-01-02,2\n",
                "2024-01-01,1,,,,\n2024-01-02,2,,,,\n"},
           Case{"nothing", "\n", ""},
       }) {
    SCOPED_TRACE(c.what);
    const auto rows = rows_of(c.text);
    ASSERT_TRUE(rows) << rows.error().text();
    EXPECT_EQ(*rows, c.rows);
  }
}

TEST(BankTable, TakesTheNumbersOfSpreadsheetsAsMachinesWriteThem) {
  const char* const text = "Datum,Betrag\n2024-01-01,-1234.56\n";
  EXPECT_EQ(*rows_of(text, true), "2024-01-01,-1234.56,,,,\n");
  EXPECT_FALSE(rows_of(text, false)) << "in a German text table a point groups three digits";
}

TEST(BankTable, NamesTheLineThatIsNoTransaction) {
  struct Case {
    const char* text;
    const char* words;
  };
  for (const Case& c :
       {Case{"Date,Amount\n2024-01-01,1\nsum,2\n",
             "b.csv:3: no date in this row: column 1 'Date' holds 'sum'; a date is a day of the calendar, as "
             "2024-12-31 or 31.12.2024, with a time behind it or none"},
        Case{"Amount,Date\n1,30.02.2024 10:00\n", "column 2 'Date' holds '30.02.2024 10:00'"},
        Case{"Date,Amount\n2024-01-01,\n",
             "b.csv:2: no amount in this row: column 2 'Amount' holds ''; an amount is as -1,234.56"},
        Case{"Date,Amount\n2024-01-01,\"1\n\x1b[2J\"\n", "column 2 'Amount' holds '1\\n\\x1b[2J'"},
        Case{"Datum;Betrag\n01.01.2024;12.5 \x80\n",
             "b.csv:2: no amount in this row: column 2 'Betrag' holds '12.5 €'; an amount is as -1.234,56, "
             "with a comma before the decimals"},
        Case{"Date,Credit,Debit\n2024-01-01,1,2\n",
             "b.csv:2: no amount in this row: column 2 'Credit' holds '1', column 3 'Debit' holds '2'; an "
             "amount is as -1,234.56; one of the two is an amount and the other empty or zero"},
        Case{"Date,Amount\n2024-01-01,1\n2024-01-01,1,50\n",
             "b.csv:3: 3 fields, and the header has 2: column 3 holds '50'"},
        Case{"Datum;Betrag;Soll/Haben\n01.01.2024;1;X\n",
             "column 2 'Betrag' holds '1', column 3 'Soll/Haben' holds 'X'"},
        Case{"Datum;Betrag;Soll/Haben\n01.01.2024;1;X\n", "with S or H, or the like, in its column"},
        Case{"a,b\n1,2\n", "b.csv: no header with a date and an amount"}}) {
    const auto rows = rows_of(c.text);
    ASSERT_FALSE(rows) << c.text;
    EXPECT_EQ(rows.error().code, ErrorCode::kCorruption);
    EXPECT_NE(rows.error().detail.find(c.words), std::string::npos) << rows.error().detail;
  }
}

TEST(BankAmount, IsReadByTheRulesOfItsLanguageAndNoOther) {
  struct Case {
    const char* text = "";
    bool german = false;
    std::optional<std::string> amount{};
  };
  for (const Case& c :
       {Case{"1,234.56", false, "1234.56"}, Case{"1.234,56", true, "1234.56"}, Case{"-5", true, "-5"},
        Case{"5-", true, "-5"}, Case{"+5.00", false, "5.00"}, Case{"(12.00)", false, "-12.00"},
        Case{"€ 7", false, "7"}, Case{"7,5 EUR", true, "7.5"}, Case{"1\u00A0000,00", true, "1000.00"},
        Case{"12.5", true, std::nullopt}, Case{"1,2", false, std::nullopt},
        Case{"1,23,456.00", false, std::nullopt}, Case{"", false, std::nullopt},
        Case{"abc", false, std::nullopt}, Case{"--1", false, std::nullopt},
        Case{".5", false, std::nullopt}}) {
    EXPECT_EQ(bank_amount(c.text, c.german), c.amount) << c.text;
  }
}

TEST(BankDate, ChangesGermanOnesAlone) {
  EXPECT_EQ(bank_date("31.12.2024"), "2024-12-31");
  EXPECT_EQ(bank_date("1.2.24"), "2024-02-01");
  EXPECT_EQ(bank_date("31.12.99"), "1999-12-31") << "as POSIX reads two digits";
  EXPECT_EQ(bank_date("1.1.69"), "1969-01-01");
  EXPECT_EQ(bank_date("1.1.68"), "2068-01-01");
  EXPECT_EQ(bank_date("01/02/2024"), "01/02/2024");
  EXPECT_EQ(bank_date("2024-12-31 10:00"), "2024-12-31 10:00");
  EXPECT_EQ(bank_date("31.12.2023 14:05"), "2023-12-31 14:05") << "as a day that was written so already";
  EXPECT_EQ(bank_date("1.2.24T10:00:00.5Z"), "2024-02-01T10:00:00.5Z");
  EXPECT_EQ(bank_date("31.12.2023 noon"), "31.12.2023 noon") << "no time, and so another date";
  EXPECT_EQ(bank_date("31.12.2023 24:05"), "31.12.2023 24:05") << "no time of a day either";
  EXPECT_EQ(bank_date("31.12.2023 14:60"), "31.12.2023 14:60");
  EXPECT_EQ(bank_date("31.12.2023 23:59:60"), "2023-12-31 23:59:60");
  EXPECT_EQ(bank_date("30.02.2023 14:05"), std::nullopt);
  EXPECT_EQ(bank_date("total"), std::nullopt);
  EXPECT_EQ(bank_date("31.02.2024"), std::nullopt);
  EXPECT_EQ(bank_date("99.99.2024"), std::nullopt);
  for (const char* none :
       {"2024-02-30", "2024-13-45", "99/99/2024", "02/30/2024", "20240230", "2023-02-29T10:00:00"})
    EXPECT_EQ(bank_date(none), std::nullopt) << none;
  for (const char* some : {"2024-02-29", "31/12/2024", "12/31/2024", "20240229", "31122024", "12312024",
                           "2024-1-5", "5 Jan 2024"})
    EXPECT_EQ(bank_date(some), some);
  EXPECT_EQ(bank_date("29.02.2024"), "2024-02-29");
}

}  // namespace
}  // namespace lab
