-- Rows for the schema in writer.py: invented ids, plausible nights. Times are epoch milliseconds, offsets seconds.
-- 2025-03-24 23:00 +01:00, staged; the stages leave a gap of an hour, and one number is of the future.
INSERT INTO sleep_session_record_table (row_id, uuid, last_modified_time, device_info_id, app_info_id, recording_method,
    start_time, start_zone_offset, end_time, end_zone_offset)
VALUES (1, x'00112233445566778899aabbccddeeff', 1742880000000, 2, 2, 2, 1742853600000, 3600, 1742882400000, 3600);
INSERT INTO sleep_stages_table VALUES
    (1, 1742872800000, 1742882400000, 4), (1, 1742853600000, 1742854500000, 7), (1, 1742854500000, 1742860800000, 5),
    (1, 1742860800000, 1742865600000, 6), (1, 1742869200000, 1742872800000, 9), (1, 1742854500000, 1742854500000, 1);
-- An hour's nap, typed in, without stages.
INSERT INTO sleep_session_record_table (row_id, uuid, last_modified_time, device_info_id, app_info_id, recording_method,
    start_time, start_zone_offset, end_time, end_zone_offset)
VALUES (2, x'10112233445566778899aabbccddeeff', 1742990400000, 1, 2, 3, 1742990400000, 3600, 1742994000000, 3600);
-- Another app, which begins at sleep onset and tells no offset.
INSERT INTO application_info_table (row_id, package_name) VALUES (3, 'com.garmin.android.apps.connectmobile');
INSERT INTO sleep_session_record_table (row_id, uuid, last_modified_time, app_info_id, recording_method, start_time,
    end_time) VALUES (3, x'20112233445566778899aabbccddeeff', 1742880000000, 3, 2, 1742854500000, 1742882400000);
INSERT INTO sleep_stages_table VALUES (3, 1742854500000, 1742882400000, 2);
-- Of an app that is not listed; it ends before it starts.
INSERT INTO sleep_session_record_table (row_id, uuid, app_info_id, start_time, end_time)
VALUES (4, x'30', 99, 1742882400000, 1742853600000);
-- A stage of a session that was deleted.
INSERT INTO sleep_stages_table VALUES (77, 1742854500000, 1742882400000, 2);
