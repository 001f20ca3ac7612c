Attribute VB_Name = "SmsText"
Option Explicit
' Texts and settings stand on the add-in's own hidden sheets, and are read once.
' Nothing is ever read from a workbook of the user's.

Private Const SPANISH As Long = 10 ' the primary language of every Spanish LCID
Private Const MENU_LANGUAGE As Long = 2 ' msoLanguageIDUI

Private mTexts As Collection
Private mSettings As Collection

Public Function LanguageOf(ByVal lcid As Long) As String
    If (lcid And 1023) = SPANISH Then LanguageOf = "es" Else LanguageOf = "en"
End Function

Public Function Language() As String
    ' The language of Excel's own menus, unless the settings name one.
    Dim lcid As Long, host As Object
    Language = Setting("language")
    If Language = "en" Or Language = "es" Then Exit Function
    On Error Resume Next
    Set host = Application
    lcid = host.LanguageSettings.LanguageID(MENU_LANGUAGE)
    On Error GoTo 0
    Language = LanguageOf(lcid)
End Function

Public Function Setting(ByVal key As String) As String
    If mSettings Is Nothing Then Set mSettings = Column("settings", 2)
    Setting = Found(mSettings, key)
End Function

Public Function Wording(ByVal key As String) As String
    If mTexts Is Nothing Then
        If Language() = "es" Then Set mTexts = Column("texts", 3) Else Set mTexts = Column("texts", 2)
    End If
    Wording = Found(mTexts, key)
End Function

Public Sub Forget()
    ' Read them again at the next use.
    Set mTexts = Nothing
    Set mSettings = Nothing
End Sub

Private Function Column(ByVal sheet As String, ByVal number As Long) As Collection
    Dim cells As Variant, row As Long, result As Collection
    Set result = New Collection
    cells = ThisWorkbook.Worksheets(sheet).UsedRange.Value
    For row = LBound(cells, 1) To UBound(cells, 1)
        result.Add CStr(cells(row, number)), CStr(cells(row, 1))
    Next row
    Set Column = result
End Function

Private Function Found(ByVal all As Collection, ByVal key As String) As String
    On Error Resume Next
    Found = all(key)
End Function
