-- Rows for the schema in writer.py: invented, plausible. Times are epoch milliseconds; 1742857200000 is
-- 2025-03-25 00:00 in Berlin.
-- Xiaomi: asleep at midnight, awake for good at 06:00; the band says "not asleep" once, and once nothing.
INSERT INTO XIAOMI_SLEEP_TIME_SAMPLE VALUES (1742857200000, 1, 1, 1742878800000, 0, 330, 60, 210, 60, 20);
INSERT INTO XIAOMI_SLEEP_STAGE_SAMPLE VALUES
    (1742857200000, 1, 1, 3), (1742860800000, 1, 1, 2), (1742864400000, 1, 1, 4), (1742868000000, 1, 1, 5),
    (1742868600000, 1, 1, 0), (1742869200000, 1, 1, 1), (1742869800000, 1, 1, 3), (1742880000000, 1, 1, 5);
-- Another night of it, of which only the sums were synchronised; and a nap without any.
INSERT INTO XIAOMI_SLEEP_TIME_SAMPLE VALUES
    (1742943600000, 1, 1, 1742968800000, 0, 400, 90, 310, 0, 20), (1743000000000, 1, 1, 1743003600000, 0, 0, 0, 0, 0, 0);
-- Garmin: asleep at 00:30, awake for good at 05:30; the last stage is stamped half a minute later.
INSERT INTO GARMIN_EVENT_SAMPLE VALUES (1742859000000, 2, 1, 74, 0, NULL), (1742877000000, 2, 1, 74, 1, NULL),
    (1742860000000, 2, 1, 74, 9, NULL);
INSERT INTO GARMIN_SLEEP_STAGE_SAMPLE VALUES
    (1742855400000, 2, 1, 1), (1742862600000, 2, 1, 2), (1742866200000, 2, 1, 3), (1742868000000, 2, 1, 0),
    (1742871600000, 2, 1, 4), (1742873400000, 2, 1, 1), (1742877030000, 2, 1, 2);
-- The watch began another sleep and never ended it.
INSERT INTO GARMIN_EVENT_SAMPLE VALUES (1742940000000, 2, 1, 74, 0, NULL);
-- Naps of it, and the activity of a band whose sleep nof1 does not read.
INSERT INTO GARMIN_NAP_SAMPLE VALUES (1743000000000, 2, 1, 1743003600000);
INSERT INTO HUAMI_EXTENDED_ACTIVITY_SAMPLE VALUES (1742857200, 1, 1, 112);
