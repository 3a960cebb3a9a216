"""The report and the certificate: self-contained HTML files for people who were not in the room."""
