"""Makes zone-offsets.json: what Python's zoneinfo says of every zone of the PyPI package tzdata, 1970 to 2100.

pip install tzdata==2026.6 && python zone-offsets.py > zone-offsets.json

Per zone the SHA-256 (16 digits) of "<offset>" and ";<change>:<offset>" for each change, all in seconds.
"""

import hashlib
import json
import zoneinfo
from datetime import datetime, timedelta, timezone

import tzdata

zoneinfo.reset_tzpath([])
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
END = 4_102_444_800
DAY = 86_400


def offset_at(zone, at):
    return int((EPOCH + timedelta(seconds=at)).astimezone(zone).utcoffset().total_seconds())


def text_of(name):
    zone = zoneinfo.ZoneInfo(name)
    last = offset_at(zone, 0)
    parts = [str(last)]
    for day in range(DAY, END, DAY):
        offset = offset_at(zone, day)
        if offset == last:
            continue
        low, high = day - DAY, day
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if offset_at(zone, middle) == offset else (middle, high)
        parts.append(f"{high}:{offset}")
        last = offset
    return ";".join(parts)


names = sorted(zoneinfo.available_timezones() - {"Factory"})
digests = {name: hashlib.sha256(text_of(name).encode()).hexdigest()[:16] for name in names}
print(json.dumps({"version": tzdata.IANA_VERSION, "zones": digests}, indent=0))
