"""What `reco events` must find in a log of User Behavior Insights events, by pandas.

    python scripts/reference/ubi_events.py ../shared/data/esci_ubi/events.csv

Prints the impressions, and those clicked and put into the cart within 30 minutes of their latest impression; the
numbers are in tests/data/test_events.c.
"""

import sys

import pandas as pd

events = pd.read_csv(sys.argv[1], dtype=str)
number = pd.to_numeric(events["timestamp"], errors="coerce")
events["time"] = pd.to_datetime(number, unit="ms", utc=True).fillna(
    pd.to_datetime(events["timestamp"].where(number.isna()), utc=True, format="ISO8601")
)
key = ["query_id", "object_id"]
shown = events[(events["action"] == "impression")].dropna(subset=key)
first = shown.sort_values("time", kind="stable").drop_duplicates(key)
print("impressions", len(first), "repeated", len(shown) - len(first))
for action in ("click", "add_to_cart", "purchase"):
    done = events[events["action"].isin([action] + (["click_through", "item_click", "product_click"] if action == "click" else []))]
    pairs = done.merge(shown, on=key, suffixes=("", "_shown"))
    before = pairs[pairs["time_shown"] <= pairs["time"]]
    latest = before.sort_values("time_shown").drop_duplicates(key + ["time"], keep="last")
    inside = latest[latest["time"] - latest["time_shown"] <= pd.Timedelta("30min")]
    rows = inside.drop_duplicates(key)
    print(action, "rows", len(rows), "rate %.9g" % (len(rows) / len(first)))
depth = first.groupby("query_id")["object_id"].nunique()
print("searches", len(depth), "mean depth of a row %.9g" % first["query_id"].map(depth).mean())
