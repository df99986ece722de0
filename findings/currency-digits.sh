#!/bin/sh
# Babel's get_currency_precision is not the number of digits that an amount in minor units has. It is CLDR's, how many
# digits people write, and that differs from ISO 4217 in 15 of its currencies: 0 where ISO has 2, as in HUF, IDR, COP and ALL,
# or 3, as in IQD. So `amount / 10 ** get_currency_precision(code)` is a hundred or a thousand times too much, and
# format_currency drops the cents of an amount that has them. Intl.NumberFormat of Node 20 answers from the same data.
#
# Source: Unicode Technical Standard 35, part 3, "Supplemental Currency Data": the digits of CLDR are for display, and may
# differ from ISO 4217's; ISO 4217 list one of 2026-01-01, in the package iso4217. Stripe bills HUF, IDR and COP in hundredths.
#
# Seen on 2026-11-29, babel 2.19.0, iso4217 1.16.20260101 (code:ISO/CLDR):
#   AFN:2/0 ALL:2/0 COP:2/0 HUF:2/0 IDR:2/0 IQD:3/0 IRR:2/0 KPW:2/0 LAK:2/0 LBP:2/0 MGA:2/0 MMK:2/0 SOS:2/0 SYP:2/0 YER:2/0
#   123450 minor units: HUF123,450 and 1234.50: HUF1,234
#
# Needs python3 with venv. Fails when the packages behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check babel==2.19.0 iso4217==1.16.20260101
cat > digits.py <<'PYTHON'
from babel.numbers import format_currency, get_currency_precision
from iso4217 import Currency

iso = {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}
cldr = {code: get_currency_precision(code) for code in iso}
print(*(f"{code}:{iso[code]}/{cldr[code]}" for code in sorted(iso) if iso[code] != cldr[code]))
scaled = format_currency(123450 / 10 ** cldr["HUF"], "HUF", locale="en")
exact = format_currency(1234.5, "HUF", locale="en")
print("123450 minor units:", scaled, "and 1234.50:", exact)
PYTHON
seen=$(venv/bin/python digits.py)
echo "$seen"
test "$seen" = "AFN:2/0 ALL:2/0 COP:2/0 HUF:2/0 IDR:2/0 IQD:3/0 IRR:2/0 KPW:2/0 LAK:2/0 LBP:2/0 MGA:2/0 MMK:2/0 SOS:2/0 SYP:2/0 YER:2/0
123450 minor units: HUF123,450 and 1234.50: HUF1,234"
