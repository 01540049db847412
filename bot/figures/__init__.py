"""What the town can say of its work in numbers: counted from plain facts, masked, laid out as tables. Pure: no clock, no database, no page."""
