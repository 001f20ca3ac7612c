Attribute VB_Name = "SmsRibbon"
Option Explicit
' What the ribbon calls. The name of a control is xlsms_ and the verb, with _ for -.

Private mRibbon As Object
Private mShown As String

Public Sub OnLoad(ByVal ribbon As IRibbonUI)
    Set mRibbon = ribbon
    SmsTick.Start
End Sub

Public Sub OnPress(ByVal control As IRibbonControl)
    SmsLaunch.Launch VerbOf(control.Id)
End Sub

Public Sub GetLabel(ByVal control As IRibbonControl, ByRef result As Variant)
    result = SmsText.Wording(SaidBy(control.Id) & ".label")
End Sub

Public Sub GetSupertip(ByVal control As IRibbonControl, ByRef result As Variant)
    result = SmsText.Wording(SaidBy(control.Id) & ".tip")
End Sub

Public Sub GetEnabled(ByVal control As IRibbonControl, ByRef result As Variant)
    result = IsMet(SmsText.Setting("needs." & VerbOf(control.Id)))
End Sub

Public Function VerbOf(ByVal id As String) As String
    VerbOf = Replace(Mid$(id, Len("xlsms_") + 1), "_", "-")
End Function

Private Function SaidBy(ByVal id As String) As String
    ' The red button says what it does now.
    SaidBy = VerbOf(id)
    If SaidBy = "stop" And SmsTick.ServiceWord() = "stopped" Then SaidBy = "resume"
End Function

Public Function IsMet(ByVal need As String) As Boolean
    Select Case need
        Case "nothing"
            IsMet = True
        Case "book"
            IsMet = Not UsersBook() Is Nothing
        Case "rows"
            IsMet = HasRows()
        Case "away"
            IsMet = (SmsTick.ServiceWord() <> "running" And SmsTick.ServiceWord() <> "stopped")
    End Select
End Function

Public Function UsersBook() As Object
    ' The active workbook; Nothing when there is none.
    Dim host As Object
    On Error Resume Next
    Set host = Application
    Set UsersBook = host.ActiveWorkbook
End Function

Private Function HasRows() As Boolean
    Dim host As Object
    If UsersBook() Is Nothing Then Exit Function
    On Error Resume Next
    Set host = Application
    HasRows = (TypeName(host.Selection) = "Range")
End Function

Public Sub Renew()
    ' Ask for grey and not grey again, only when it has changed: this runs at every step of the cursor.
    Dim now_shown As String
    now_shown = CStr(IsMet("book")) & CStr(IsMet("rows")) & SmsTick.ServiceWord()
    If now_shown = mShown Or mRibbon Is Nothing Then Exit Sub
    mShown = now_shown
    mRibbon.Invalidate
End Sub
