"""Forms (WTForms) of the pages, by subject; what they take is judged again by smtpy.admin."""
