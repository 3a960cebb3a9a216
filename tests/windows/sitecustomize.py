"""Text as on Windows in western Europe: every process of a test run opens files in CP1252 unless it says otherwise.

Names of files stay UTF-8, as on Windows, where they do not depend on the code page. docs/windows.md has the command.
"""

import locale
import os

locale.setlocale(locale.LC_CTYPE, os.environ.get("TEXT_LOCALE", "de_DE.CP1252"))
