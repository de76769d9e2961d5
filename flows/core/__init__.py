"""What every stage stands on: settings, errors, the warehouse, migrations, the clock."""
