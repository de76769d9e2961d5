-- After everything was settled anew, what was known of these tables' sizes is far off.
set local default_statistics_target to default;
analyze identity.used_links;
analyze identity.used_records;
analyze identity.homes;
analyze {ids};
analyze {crosswalk};
