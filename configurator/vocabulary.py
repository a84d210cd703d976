"""The configurator's own words for answers, in the languages that product files are most written in."""

_WORDS: dict[str, dict[str, str]] = {
    "en": {"yes": "Yes", "no": "No", "none": "None", "file": "Your file"},
    "fr": {"yes": "Oui", "no": "Non", "none": "Aucun", "file": "Votre fichier"},
    "de": {"yes": "Ja", "no": "Nein", "none": "Keine", "file": "Ihre Datei"},
    "it": {"yes": "Sì", "no": "No", "none": "Nessuno", "file": "Il suo file"},
    "es": {"yes": "Sí", "no": "No", "none": "Ninguno", "file": "Su archivo"},
    "pt": {"yes": "Sim", "no": "Não", "none": "Nenhum", "file": "O seu ficheiro"},
    "nl": {"yes": "Ja", "no": "Nee", "none": "Geen", "file": "Uw bestand"},
    "ja": {"yes": "はい", "no": "いいえ", "none": "なし", "file": "お客様のファイル"},
}


def spoken(word: str, language: str) -> str:
    """One of yes, no, none and file in a language; in English where the language is not known."""
    return (_WORDS.get(language) or _WORDS.get(language[:2]) or _WORDS["en"])[word]
