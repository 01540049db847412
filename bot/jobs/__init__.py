"""Work that comes due by itself: settling, delivery, promises. Rows are the truth; a job may run twice."""
